"""Export a checkpoint as ONNX with DDColor's contract, weights stored as float16.

    python3 export.py run/average.pt ../models/starter/starter.onnx --parity /tmp/parity

input  "input"  float32 [N, 3, H, W], grey RGB in 0..1, H and W multiples of 32
output "output" float32 [N, 2, H, W], a*b*
The decoded mean and the chroma curve are part of the graph. With --parity, inputs and PyTorch's float32 answers
at several sizes are written for parity.mjs, which compares onnxruntime with them.
"""
import argparse
import inspect
import json
from pathlib import Path

import onnx
import torch

from evaluate import add_model_arguments, build_model
from float16 import store_float16

OPSET = 15
PARITY_SIZES = [(1, 256, 256), (2, 64, 96), (1, 384, 288), (1, 512, 512)]
AXES = {0: "batch", 2: "height", 3: "width"}


def describe(model, text):
    """Human-readable notes inside the file."""
    model.producer_name, model.doc_string = "huancai-training", text
    return model


def export(model, file, text="Huancai starter colouriser, Apache-2.0; see MODEL_CARD.md"):
    """Write StarterModel to `file`; returns its size in bytes."""
    model, file = model.eval(), Path(file)
    traced = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(model, torch.rand(1, 3, 128, 160), str(file), opset_version=OPSET, input_names=["input"],
                      output_names=["output"], dynamic_axes={"input": AXES, "output": AXES}, **traced)
    graph = describe(store_float16(onnx.load(str(file))), text)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(file))
    return file.stat().st_size


@torch.no_grad()
def write_parity(model, folder):
    """Random smooth and noisy inputs and PyTorch's outputs as raw float32 files plus cases.json."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator, cases = torch.Generator().manual_seed(1), []
    for number, (batch, height, width) in enumerate(PARITY_SIZES):
        coarse = torch.rand(batch, 1, height // 16, width // 16, generator=generator)
        grey = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
        grey = (grey + 0.05 * torch.randn(grey.shape, generator=generator)).clamp(0, 1).expand(-1, 3, -1, -1)
        for name, tensor in (("input", grey), ("output", model(grey))):
            (folder / f"{number}.{name}.f32").write_bytes(tensor.contiguous().numpy().astype("<f4").tobytes())
        cases.append({"file": str(number), "batch": batch, "height": height, "width": width})
    (folder / "cases.json").write_text(json.dumps(cases))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_arguments(parser)
    parser.add_argument("onnx", help="file to write")
    parser.add_argument("--parity", help="folder for the inputs and answers that parity.mjs compares with")
    options = parser.parse_args()
    model = build_model(options)
    size = export(model, options.onnx)
    print(f"{options.onnx}: {size / 1e6:.2f} MB, opset {OPSET}")
    if options.parity:
        write_parity(model, options.parity)
        print(f"compare with: node parity.mjs {options.onnx} {options.parity}")


if __name__ == "__main__":
    main()
