"""Measure the mask network: recall at a precision per class, and how much it marks where nothing is damaged.

    python3 training/damage/evaluate.py masks/average.pt packed/ --undamaged old/

Held-out photographs with drawn damage, fixed by the seed. A pixel counts as found if the truth lies within 2 px of a
mark and as rightly marked if the mark lies within 2 px of the truth. The threshold is the lowest at which the marks of
a class reach the precision asked for; --undamaged tells, with it, what share of real photographs' pixels is marked.
"""
import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from draw import CLASSES, sample
from mask_network import MaskNetwork

sys.path.append(str(Path(__file__).resolve().parent.parent))
from colour import rgb_to_lab  # noqa: E402
from dataset import PackedPhotos  # noqa: E402
from prepare import decode, photographs  # noqa: E402
from train import HELD_OUT  # noqa: E402

THRESHOLDS = np.round(np.concatenate([np.arange(0.05, 0.95, 0.05), [0.95, 0.97, 0.98, 0.99, 0.995]]), 3)
TOLERANCE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))  # 2 px


def load(file):
    network = MaskNetwork()
    network.load_state_dict(torch.load(file, map_location="cpu")["model"])
    return network.eval()


@torch.no_grad()
def marks(network, lightness):
    """Lightness [H, W] -> probabilities [4, H, W]; sides are padded to multiples of 16 by mirroring."""
    height, width = lightness.shape
    padded = cv2.copyMakeBorder(lightness, 0, -height % 16, 0, -width % 16, cv2.BORDER_REFLECT_101)
    return torch.sigmoid(network(torch.from_numpy(padded)[None, None]))[0, :, :height, :width].numpy()


def count(likely, truth, faint):
    """One class of one photograph -> for each threshold [rightly marked, marked, found], and the true pixels."""
    wide, any_truth = cv2.dilate(truth, TOLERANCE), truth > 0
    rows = []
    for threshold in THRESHOLDS:
        marked = ((likely > threshold) & ~faint).astype(np.float32)
        found = any_truth & (cv2.dilate(marked, TOLERANCE) > 0)
        rows.append([(marked * wide).sum(), marked.sum(), found.sum()])
    return np.array(rows), any_truth.sum()


def measure(network, photos, limit, size, seed=7):
    """-> {class: (counts [thresholds, 3], true pixels)}; marks on damage of another class do not count."""
    rng, totals = np.random.default_rng(seed), {name: [0, 0] for name in CLASSES}
    held = list(range(0, len(photos), HELD_OUT))
    for index in (held[i] for i in np.linspace(0, len(held) - 1, min(limit, len(held))).astype(int)):
        lightness = rgb_to_lab(np.ascontiguousarray(photos[index]))[..., 0] / 100
        picture, truth, weight = sample(lightness, size, rng, clean=0.3)
        likely = marks(network, picture[0])
        for number, name in enumerate(CLASSES):
            others = np.delete(truth, number, 0).max(0)
            ignored = (weight == 0) | (cv2.dilate(others, TOLERANCE) > 0) & (truth[number] == 0)
            rows, pixels = count(likely[number], truth[number], ignored)
            totals[name][0], totals[name][1] = totals[name][0] + rows, totals[name][1] + pixels
    return totals


def best(rows, pixels, precision):
    """-> (threshold, precision, recall) of the most recall at that precision; threshold 1: never reached."""
    reached = [(found / max(pixels, 1), right / marked, threshold) for (right, marked, found), threshold
               in zip(rows, THRESHOLDS) if marked and right / marked >= precision]
    recall, sure, threshold = max(reached, default=(0.0, 0.0, 1.0))
    return threshold, sure, recall


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="average.pt of train.py")
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("--undamaged", help="folder or tar file of real photographs without damage")
    parser.add_argument("--precision", type=float, default=0.9, help="to reach (default %(default)s)")
    parser.add_argument("--limit", type=int, default=200, help="photographs (default %(default)s)")
    parser.add_argument("--size", type=int, default=320, help="crop in px (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(2)
    network = load(options.checkpoint)
    chosen = {}
    for name, (rows, pixels) in measure(network, PackedPhotos(options.data), options.limit, options.size).items():
        chosen[name], sure, recall = best(rows, pixels, options.precision)
        print(f"{name:<8} recall {recall:.2f} at precision {sure:.2f}, threshold {chosen[name]:.3f}, {pixels} pixels")
    if options.undamaged:
        shares = []
        for _, data in photographs([options.undamaged]):
            likely = marks(network, rgb_to_lab(decode(data, 768))[..., 0] / 100)
            shares.append(100 * float(np.max([p > chosen[n] for n, p in zip(CLASSES, likely)], 0).mean()))
        print(f"undamaged: {len(shares)} photographs, marked {np.median(shares):.3f} % of the pixels in the median, "
              f"at most {np.quantile(shares, 0.9):.3f} % in nine of ten")


if __name__ == "__main__":
    main()
