"""The whole curve of error against colour: which temperature, gain and lift to export with.

    python3 tradeoff.py run/average.pt val/

Tries every combination and prints, per step of mean chroma ratio, the one with the smallest ab-RMSE.
"""
import argparse
import itertools

import torch
import torch.nn.functional as F

from colour import Bins, rgb_to_lab
from evaluate import load_checkpoint, load_folder, squash
from network import STRIDE, Decoder

TEMPERATURES = (0.25, 0.33, 0.42, 0.55, 0.75, 1.0)
GAINS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
LIFTS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)


@torch.no_grad()
def measure(network, photos, size=224):
    """-> [(chroma ratio, per cent below grey, temperature, gain, lift)] over every second pixel of all photographs.

    A curve only moves a colour outwards: the error needs the predicted length c, the truth t and their dot product,
    |s - t|^2 = s^2 - 2 s (t . direction) + |t|^2 with s = curve(c). (Here the curve acts after the enlargement.)
    """
    bins, settings = Bins(), list(itertools.product(TEMPERATURES, GAINS, LIFTS))
    error, chroma = torch.zeros(len(settings)), torch.zeros(len(settings))
    grey = truth = 0.0
    for _, rgb in photos:
        lab = torch.from_numpy(rgb_to_lab(squash(rgb, size)).transpose(2, 0, 1)[None].copy())
        logits, ab = network(lab[:, :1] / 100), lab[:, 1:, ::2, ::2]
        grey += float(ab.square().sum(1).mean())
        truth += float(ab.norm(dim=1).mean())
        lengths = {}
        for temperature in TEMPERATURES:
            plain = F.interpolate(Decoder(bins, temperature)(logits), scale_factor=float(STRIDE), mode="bilinear",
                                  align_corners=False)[..., ::2, ::2]
            length = (plain.square().sum(1) + 1e-6).sqrt()
            lengths[temperature] = length, (plain * ab).sum(1) / length
        for index, (temperature, gain, lift) in enumerate(settings):
            length, along = lengths[temperature]
            curve = gain * length + (lift * (1 - torch.exp(-length / lift)) if lift else 0)
            error[index] += (curve.square() - 2 * curve * along).mean()
            chroma[index] += curve.mean()
    below = 100 * (1 - ((error + grey) / grey).sqrt())
    return [(c, b, *s) for c, b, s in zip((chroma / truth).tolist(), below.tolist(), settings)]


def frontier(rows, step=0.02):
    """Per step of chroma ratio the row with the smallest error."""
    best = {}
    for row in rows:
        slot = round(row[0] / step)
        if 0.5 <= row[0] <= 1.2 and (slot not in best or row[1] > best[slot][1]):
            best[slot] = row
    return [best[slot] for slot in sorted(best)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="average.pt of train.py")
    parser.add_argument("photos", help="folder or tar file")
    options = parser.parse_args()
    torch.set_num_threads(2)
    print("chroma  below grey  temperature  gain  lift")
    for chroma, below, temperature, gain, lift in frontier(measure(load_checkpoint(options.checkpoint),
                                                                   load_folder(options.photos))):
        print(f"{chroma:6.2f}{below:11.2f}%{temperature:13.2f}{gain:6.2f}{lift:6.1f}")


if __name__ == "__main__":
    main()
