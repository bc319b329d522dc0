"""The shipped model as a checkpoint again, so that training can go on from it without the original one.

    python3 restore.py ../models/starter/starter.onnx packed/ starter.pt
    python3 train.py packed/ mine/ --init starter.pt

The export folds batch normalisation into the convolutions before it. Here each is split again at the statistics
that photographs of packed/ have there now: the network computes the same as before, and training may begin.
Weights come back as stored, in float16 precision.
"""
import argparse
import re

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from dataset import Batches, PackedPhotos, sampling_weights
from network import WIDTH, blocks_in, network_from


def stored_weights(file):
    """ONNX file -> ({name: array} without the _f16 of the export, [names of folded convolutions in their order])."""
    tensors = {re.sub("_f16$", "", t.name): numpy_helper.to_array(t).astype(np.float32)
               for t in onnx.load(file).graph.initializer}
    folded = sorted({int(m[1]) for name in tensors if (m := re.fullmatch(r"onnx::Conv_(\d+)", name))})
    return tensors, [f"onnx::Conv_{number}" for number in folded]


def restore(file):
    """Exported model -> Colouriser whose folded batch normalisations do nothing yet."""
    tensors, folded = stored_weights(file)
    named = {name.removeprefix("network.") for name in tensors if name.startswith("network.")}
    network = network_from({}, blocks_in(named, "context"), blocks_in(named, "middle"))
    state = network.state_dict()
    for name in state:
        if (stored := tensors.get(f"network.{name}")) is not None:
            state[name] = torch.from_numpy(stored.copy())
    convolutions = [*(f"smooth.{level}" for level in reversed(range(len(network.smooth)))), "head.0"]
    if len(folded) != 2 * len(convolutions):
        raise SystemExit(f"{file}: not an export of this network: {len(folded) // 2} folded convolutions")
    for place, (weight, bias) in zip(convolutions, zip(folded[::2], folded[1::2])):
        state[f"{place}.0.weight"] = torch.from_numpy(tensors[weight])
        state[f"{place}.1.bias"] = torch.from_numpy(tensors[bias])
        state[f"{place}.1.running_var"] = torch.ones_like(state[f"{place}.1.running_var"]) - 1e-5
    scales, shifts = (sorted((n for n in tensors if n.startswith(kind) and tensors[n].size == WIDTH),
                             key=lambda n: int(n.split("_")[1])) for kind in ("onnx::Mul_", "onnx::Add_"))
    norms = [f"{part}.{block}.norm{half}" for part in ("context", "middle")
             for block in range(len(getattr(network, part))) for half in (1, 2)]
    for norm, scale, shift in zip(norms, scales, shifts):
        state[f"{norm}.weight"] = torch.from_numpy(tensors[scale].reshape(-1))
        state[f"{norm}.bias"] = torch.from_numpy(tensors[shift].reshape(-1))
    network.load_state_dict(state)
    return network.eval()


@torch.no_grad()
def split_statistics(network, batches, count):
    """Give every folded batch normalisation the mean and variance its input has; the function stays the same."""
    layers = [block[1] for block in (*network.smooth, network.head[0])]
    sums = {layer: [0, 0.0, 0.0] for layer in layers}

    def listen(layer, inputs):
        values = inputs[0].double()
        total = sums[layer]
        total[0] += values.numel() // values.shape[1]
        total[1] = total[1] + values.sum((0, 2, 3))
        total[2] = total[2] + values.square().sum((0, 2, 3))

    hooks = [layer.register_forward_pre_hook(listen) for layer in layers]
    for _, (lightness, _ab) in zip(range(count), batches):
        network(lightness)
    for hook in hooks:
        hook.remove()
    for layer, (size, total, squares) in sums.items():
        mean = (total / size).float()
        variance = (squares / size - (total / size).square()).float().clamp_min(1e-6)
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.add_(mean)
    return network


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", help="file written by export.py")
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("checkpoint", help="file to write")
    parser.add_argument("--batches", type=int, default=12, help="of 32 photographs to measure (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    photos = PackedPhotos(options.data)
    batches = iter(Batches(photos, sampling_weights(photos.rows, {}), 32, 160, seed=1))
    network = split_statistics(restore(options.onnx), batches, options.batches)
    torch.save({"model": network.state_dict(), "samples": 0}, options.checkpoint)
    print(f"{options.checkpoint} written")


if __name__ == "__main__":
    main()
