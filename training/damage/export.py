"""Export the mask network as ONNX, weights stored as float16.

    python3 training/damage/export.py masks/average.pt masks.onnx

input  "input"  float32 [N, 1, H, W], lightness L*/100, H and W multiples of 16
output "output" float32 [N, 4, H, W], probability of each of draw.CLASSES: thin, speck, crease, tear
"""
import argparse
import inspect
import sys
from pathlib import Path

import onnx
import torch

from evaluate import load

sys.path.append(str(Path(__file__).resolve().parent.parent))
from float16 import store_float16  # noqa: E402

AXES = {0: "batch", 2: "height", 3: "width"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="average.pt of train.py")
    parser.add_argument("onnx", help="file to write")
    options = parser.parse_args()
    model = torch.nn.Sequential(load(options.checkpoint), torch.nn.Sigmoid()).eval()
    traced = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(model, torch.rand(1, 1, 64, 96), options.onnx, opset_version=15, input_names=["input"],
                      output_names=["output"], dynamic_axes={"input": AXES, "output": AXES}, **traced)
    graph = store_float16(onnx.load(options.onnx))
    onnx.checker.check_model(graph)
    onnx.save(graph, options.onnx)
    print(f"{options.onnx}: {Path(options.onnx).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
