"""Which decoder to export with: every combination of its settings against the goals, on half of the photographs.

    python3 tradeoff.py run/average.pt val/ val-2.tar

The network runs once per photograph; its logits are then decoded in every way at an eighth of the size. Printed are
the settings that miss the goals least, best first, chosen on every second photograph and measured on the others.
The figures are those of evaluate.py, coarser; measure the chosen setting there.
"""
import argparse
import itertools

import numpy as np
import torch

from colour import Bins, rgb_to_lab
from evaluate import load_checkpoint, load_folder, squash
from losses import is_purple
from metrics import NEUTRAL
from network import STRIDE, Decoder

TEMPERATURES = (0.42, 0.55, 0.7, 0.85)
DEBIAS = (0.0, 0.25, 0.5, 0.8)
SURES = (0.0, 0.3, 0.5, 0.8)
CHROMAS = (0.8, 0.85, 0.9, 0.95, 1.0)  # mean chroma as a share of the truth's; the gain follows from it
FIGURES = ("below grey %", "chroma", "spread", "neutral %", "purple %", "worse %")


def figures(predicted, truth):
    """a*b* [2, h, w] twice -> squared error, grey's, chroma, spread, neutral and purple share, worse than grey."""
    squared, grey = (predicted - truth).square().mean(), truth.square().mean()
    rows = [squared, grey]
    for ab in (predicted, truth):
        chroma = ab.norm(dim=0)
        rows += [chroma.mean(), (ab.var((1, 2), unbiased=False).sum()).sqrt(), (chroma <= NEUTRAL).float().mean(),
                 is_purple(ab[None], chroma[None]).float().mean()]
    return torch.stack([*rows, (squared > grey).float()])


def summary(rows):
    """figures() of many photographs [N, 11] -> {name: figure}, shares in per cent."""
    mean = np.asarray(rows).mean(0)
    return {"below": 100 * (1 - (mean[0] / mean[1]) ** 0.5), "chroma": mean[2] / mean[6], "spread": mean[3] / mean[7],
            "neutral": 100 * mean[4], "truth": 100 * mean[8], "purple": 100 * mean[5], "worse": 100 * mean[10]}


def missing(row):
    """How far from the goals, as a sum of shares: 0 is all of them at once."""
    short = lambda value, least: max(0.0, (least - value) / least)
    over = lambda value, most: max(0.0, (value - most) / most)
    return (short(row["below"], 18) + short(row["spread"], 0.85) + over(row["purple"], 2.0) + over(row["worse"], 22)
            + over(abs(row["neutral"] - row["truth"]) / row["truth"], 0.15) / 3
            + 4 * (short(row["chroma"], 0.9) + over(row["chroma"], 1.05)))


@torch.no_grad()
def measure(network, photos, size=256):
    """-> ({(temperature, debias, sure): [a*b* of each photograph]}, [true a*b*]), every second place of the grid."""
    bins, found, truths = Bins(), {}, []
    settings = list(itertools.product(TEMPERATURES, DEBIAS, SURES))
    for _, rgb in photos:
        lab = torch.from_numpy(rgb_to_lab(squash(rgb, size)).transpose(2, 0, 1)[None].copy())
        logits = network(lab[:, :1] / 100)[..., ::2, ::2]
        truths.append(lab[0, 1:, STRIDE // 2::2 * STRIDE, STRIDE // 2::2 * STRIDE])
        for temperature, debias, sure in settings:
            decoder = Decoder(bins, temperature, debias=debias, sure=sure)
            found.setdefault((temperature, debias, sure), []).append(decoder(logits)[0])
    return found, truths


def gain_to(chroma, predicted, truths):
    """Gain that brings the mean chroma of [a*b*] to that share of the truth's."""
    mean = lambda all_ab: float(np.mean([ab.norm(dim=0).mean() for ab in all_ab]))
    return chroma * mean(truths) / mean(predicted)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="average.pt of train.py")
    parser.add_argument("photos", nargs="+", help="folders or tar files")
    parser.add_argument("--limit", type=int, default=120, help="this many photographs, evenly spread")
    parser.add_argument("--show", type=int, default=12, help="settings to print (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    photos = [photo for path in options.photos for photo in load_folder(path)]
    spread = np.linspace(0, len(photos) - 1, min(options.limit, len(photos))).round().astype(int)
    found, truths = measure(load_checkpoint(options.checkpoint), [photos[i] for i in spread])
    rows = []
    for (key, predicted), chroma in itertools.product(found.items(), CHROMAS):
        gain = gain_to(chroma, predicted[::2], truths[::2])
        halves = [summary([figures(gain * p, t).numpy() for p, t in zip(predicted[part::2], truths[part::2])])
                  for part in (0, 1) if truths[part::2]]
        rows.append((missing(halves[0]), *key, gain, halves[-1]))
    heads = f"{'T':>5}{'debias':>8}{'sure':>6}{'gain':>6}{'missing':>9}"
    print(heads + "".join(f"{name:>14}" for name in FIGURES))
    for *key, row in sorted(rows, key=lambda row: row[0])[:options.show]:
        print("{:5.2f}{:8.2f}{:6.1f}{:6.2f}".format(*key[1:]) + f"{missing(row):9.2f}{row['below']:14.1f}"
              f"{row['chroma']:14.2f}{row['spread']:14.2f}{row['neutral']:8.1f} /{row['truth']:4.1f}"
              f"{row['purple']:14.1f}{row['worse']:14.1f}")

if __name__ == "__main__":
    main()
