"""Measure which a*b* bins photographs use and how often: writes the centres and prior that colour.Bins reads.

    python3 bins.py packed/ bins.npz

A checkpoint belongs to the bins it was trained with; the shipped ones suit photographs in general.
"""
import argparse

import numpy as np

from colour import GRID_STEP, rgb_to_lab
from dataset import PackedPhotos

REACH = 12  # bins on each side of neutral: 120 units


def histogram(photos, every=8, limit=4000):
    """How many pixels (each `every`-th in both directions) of up to `limit` photographs fall into each bin."""
    counts = np.zeros((2 * REACH + 1,) * 2)
    for index in np.unique(np.linspace(0, len(photos) - 1, min(limit, len(photos))).astype(int)):
        ab = rgb_to_lab(np.ascontiguousarray(photos[index][::every, ::every]))[..., 1:].reshape(-1, 2)
        cell = np.clip(np.rint(ab / GRID_STEP).astype(int) + REACH, 0, 2 * REACH)
        np.add.at(counts, (cell[:, 0], cell[:, 1]), 1)
    return counts


def choose(counts, share=1e-5):
    """Bins that hold at least `share` of all pixels -> centres [Q, 2], prior [Q]."""
    prior = counts / counts.sum()
    kept = np.argwhere(prior >= share)
    prior = prior[tuple(kept.T)]
    return ((kept - REACH) * GRID_STEP).astype(np.float32), (prior / prior.sum()).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("output", help="file to write")
    parser.add_argument("--share", type=float, default=1e-5, help="smallest share of pixels (default %(default)s)")
    options = parser.parse_args()
    centres, prior = choose(histogram(PackedPhotos(options.data)), options.share)
    np.savez(options.output, centers=centres, prior=prior)
    neutral = prior[np.abs(centres).max(1) < GRID_STEP / 2].sum()
    print(f"{len(centres)} bins; the neutral one holds {100 * neutral:.0f} % of the pixels")


if __name__ == "__main__":
    main()
