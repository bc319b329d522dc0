"""Packed photographs as training samples."""
import csv
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

from augment import age, mount
from colour import rgb_to_lab
from network import STRIDE


class PackedPhotos(Dataset):
    """Folder written by prepare.py: photos[i] is RGB uint8 [H, W, 3]; photos.rows holds the index."""

    def __init__(self, folder):
        self.folder = Path(folder)
        with open(self.folder / "index.csv", newline="") as file:
            self.rows = list(csv.DictReader(file))
        self.pixels = np.memmap(self.folder / "pixels.bin", np.uint8, "r")

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        height, width, offset = int(row["height"]), int(row["width"]), int(row["offset"])
        return self.pixels[offset:offset + height * width * 3].reshape(height, width, 3)


def sampling_weights(rows, rules, leave_out=()):
    """Probability of each photograph.

    rules: {"source" or "source/category": factor}. Sources in leave_out are never drawn. Photographs with much
    grey in them (suits, walls, tarmac) are drawn up to twice as often: what is neutral is the hardest to learn.
    Nearly colourless ones (mean chroma below 5), which may be toned black and white, are drawn half as often.
    """
    weights = np.ones(len(rows))
    for index, row in enumerate(rows):
        for name in (row["source"], f"{row['source']}/{row['category']}"):
            weights[index] *= rules.get(name, 1.0)
        weights[index] *= 0.5 if float(row["chroma"]) < 5 else 1 + min(1, 1.5 * float(row.get("neutral") or 0))
        weights[index] *= row["source"] not in leave_out
    if not weights.sum():
        raise ValueError("no photograph left to train on")
    return weights / weights.sum()


def crop(rgb, size, rng, whole=0.4):
    """A random part (or, with probability `whole`, all) of a photograph, squashed to size x size, maybe mirrored."""
    height, width = rgb.shape[:2]
    if rng.random() >= whole:
        area = rng.uniform(0.25, 1.0) * height * width
        aspect = np.exp(rng.uniform(np.log(0.7), np.log(1.43)))
        h, w = min(height, int((area / aspect) ** 0.5)), min(width, int((area * aspect) ** 0.5))
        top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
        rgb = rgb[top:top + h, left:left + w]
    shrink = rgb.shape[0] > size
    rgb = cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
    return rgb[:, ::-1] if rng.random() < 0.5 else rgb


def sample(rgb, size, rng, strength=1.0):
    """One training pair: L*/100 float32 [1, size, size] and a*b* float32 [2, size/4, size/4]."""
    lab = rgb_to_lab(np.ascontiguousarray(crop(rgb, size, rng)))
    if rng.random() < 0.08 * strength:
        lab = mount(lab, rng)
    lightness = age(lab[..., 0] / 100, rng, strength)
    small = cv2.resize(lab[..., 1:], (size // STRIDE,) * 2, interpolation=cv2.INTER_AREA)
    return torch.from_numpy(lightness[None]), torch.from_numpy(small.transpose(2, 0, 1).copy())


class Batches(IterableDataset):
    """Endless random batches; `size` may be changed between iterators. Seeded by (seed, step): resumable."""

    def __init__(self, photos, weights, batch, size, seed, first_step=0, strength=1.0):
        self.photos, self.weights, self.batch, self.size = photos, weights, batch, size
        self.seed, self.first_step, self.strength = seed, first_step, strength

    def __iter__(self):
        cv2.setNumThreads(0)
        worker = torch.utils.data.get_worker_info()
        step, stride = self.first_step + (worker.id if worker else 0), worker.num_workers if worker else 1
        cumulative = np.cumsum(self.weights)
        while True:
            rng = np.random.default_rng((self.seed, step))
            drawn = np.minimum(np.searchsorted(cumulative, rng.random(self.batch)), len(self.weights) - 1)
            pairs = [sample(self.photos[i], self.size, rng, self.strength) for i in drawn]
            yield tuple(map(torch.stack, zip(*pairs)))
            step += stride
