"""Average the weights of checkpoints of one family: one trained on from the other, or both from a third.

    python3 blend.py packed/ mixed.pt starter.pt=0.3 run/average.pt=0.7

Half-way between a start and what it was trained into often errs less than either (Wortsman et al., Robust fine-tuning
of zero-shot models, CVPR 2022). Blocks that one lacks are taken from the other. The statistics of batch normalisation
are measured anew on photographs of packed/, since they do not average. Temperature and debias are the last one's.
"""
import argparse

import torch

from dataset import Batches, PackedPhotos, sampling_weights
from network import blocks_in, network_from


def blend(states, shares):
    """State dicts and their shares -> the averaged state dict, in the shape of the largest."""
    blocks = [max(blocks_in(state, part) for state in states) for part in ("context", "middle")]
    total = sum(shares)
    mixed = {}
    for name, tensor in network_from(states[-1], *blocks).state_dict().items():
        having = [(state[name], share) for state, share in zip(states, shares) if name in state]
        if not tensor.dtype.is_floating_point:
            mixed[name] = tensor
        elif name.endswith(("join.weight", "join.bias", "shrink.weight", "shrink.bias")):
            mixed[name] = sum(value * share for value, share in having) / total  # a missing block adds nothing
        else:
            mixed[name] = sum(value * share for value, share in having) / sum(share for _, share in having)
    return mixed


@torch.no_grad()
def measure_statistics(network, batches, count):
    """Running mean and variance of every batch normalisation over `count` batches."""
    layers = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average
    network.train()
    for _, (lightness, _ab) in zip(range(count), batches):
        network(lightness)
    for layer in layers:
        layer.momentum = 0.1
    return network.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("output", help="checkpoint to write")
    parser.add_argument("checkpoints", nargs="+", help="file=share, such as run/average.pt=0.7")
    parser.add_argument("--batches", type=int, default=20, help="of 32 photographs to measure (default %(default)s)")
    parser.add_argument("--size", type=int, default=256, help="their size in px (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    files, shares = zip(*(text.rsplit("=", 1) for text in options.checkpoints))
    loaded = [torch.load(file, map_location="cpu") for file in files]
    network = network_from(blend([state["model"] for state in loaded], [float(share) for share in shares]))
    photos = PackedPhotos(options.data)
    source = Batches(photos, sampling_weights(photos.rows, {}), 32, options.size, seed=1)
    state = measure_statistics(network, iter(source), options.batches).state_dict()
    torch.save({**loaded[-1], "model": state}, options.output)
    print(f"{options.output} written")


if __name__ == "__main__":
    main()
