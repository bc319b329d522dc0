"""What one training step costs on this machine, in full and in half precision.

    python3 speed.py            processor time per photograph: other work on the machine hardly disturbs it

Run it with Debian's PyTorch and with that of requirements.txt, and train with the faster (train.py --bf16).
"""
import argparse
import time

import torch

from colour import Bins
from losses import ColourLoss
from network import STRIDE, Colouriser, Decoder


def step_seconds(size, batch, bf16, steps=3):
    """Processor seconds of the fastest of a few whole steps: forward, loss, backward, update."""
    bins = Bins()
    network = Colouriser(bins, context_blocks=4, middle_blocks=2).to(memory_format=torch.channels_last)
    loss = ColourLoss(bins, Decoder(bins, 0.7, debias=0.5), 0.3, 1.0, 0.9, 0.9, 1.2, 0.5)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4)
    lightness = torch.rand(batch, 1, size, size)
    ab = torch.randn(batch, 2, size // STRIDE, size // STRIDE) * 12
    best = float("inf")
    for _ in range(steps):
        begun = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(lightness)
        total, _ = loss(logits.float(), ab)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        optimiser.step()
        best = min(best, time.process_time() - begun)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="picture size (default %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="photographs (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name, bf16 in (("float32", False), ("bfloat16", True)):
        said = f"PyTorch {torch.__version__}, {options.size} px, {name}: "
        try:
            seconds = step_seconds(options.size, options.batch, bf16)
        except RuntimeError as fault:  # Debian's PyTorch lacks some operations in half precision
            print(f"{said}not possible ({str(fault).splitlines()[0]})")
            continue
        print(f"{said}{1000 * seconds / options.batch:.1f} ms of processor time a photograph", flush=True)


if __name__ == "__main__":
    main()
