"""CIE L*a*b* (D65) and the a*b* bins the network classifies.

Ranges are those of OpenCV's float conversion: L* 0..100, a* and b* about -128..127.
"""
from pathlib import Path

import cv2
import numpy as np
import torch

BINS_FILE = Path(__file__).with_name("bins.npz")
GRID_STEP = 10.0


def rgb_to_lab(rgb):
    """sRGB uint8 [H, W, 3] -> L*a*b* float32 [H, W, 3]."""
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def lab_to_rgb(lab):
    """L*a*b* float32 [H, W, 3] -> sRGB uint8 [H, W, 3]; colours out of gamut are clipped."""
    rgb = cv2.cvtColor(np.ascontiguousarray(lab, dtype=np.float32), cv2.COLOR_LAB2RGB)
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)


def grey_rgb(lightness):
    """L* [H, W] -> the grey sRGB picture with that lightness, float32 [H, W, 3] in 0..1."""
    lab = np.zeros((*lightness.shape, 3), np.float32)
    lab[..., 0] = lightness
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def grey_to_lightness(grey):
    """Grey sRGB tensor [N, 1, H, W] in 0..1 -> L*/100 of the same shape (runs inside the ONNX graph)."""
    linear = torch.where(grey > 0.04045, ((grey + 0.055) / 1.055).clamp_min(1e-6) ** 2.4, grey / 12.92)
    return torch.where(linear > 0.008856, 1.16 * linear.clamp_min(1e-6) ** (1 / 3) - 0.16, 9.033 * linear)


class Bins:
    """The a*b* bins: centres on a 10-unit grid and how often photographs use each.

    Attributes: centres [Q, 2] float32, prior [Q] (sums to 1), weights [Q] (class rebalancing:
    1 / (prior / 2 + 1 / 2Q), capped, mean 1 under the prior; Zhang et al., ECCV 2016).
    """

    def __init__(self, file=BINS_FILE, cap=6.0):
        stored = np.load(file)
        self.centres = stored["centers"].astype(np.float32)
        self.prior = stored["prior"].astype(np.float64)
        self.prior /= self.prior.sum()
        weights = 1 / (0.5 * self.prior + 0.5 / len(self.prior))
        weights /= (weights * self.prior).sum()
        weights = np.minimum(weights, cap)
        self.weights = (weights / (weights * self.prior).sum()).astype(np.float32)
        self._nearest = self._nearest_table()

    def __len__(self):
        return len(self.centres)

    def _nearest_table(self):
        """For every integer a*b* in -128..127 the index of the nearest centre."""
        axis = np.arange(-128, 128, dtype=np.float32)
        points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 1, 2)
        rows = [((chunk - self.centres) ** 2).sum(-1).argmin(1) for chunk in np.array_split(points, 64)]
        return torch.from_numpy(np.concatenate(rows).reshape(256, 256).astype(np.int64))

    def nearest(self, ab):
        """a*b* tensor [N, 2, H, W] -> indices of the nearest centres, int64 [N, H, W]."""
        index = (ab.round().long() + 128).clamp_(0, 255)
        if self._nearest.device != ab.device:
            self._nearest = self._nearest.to(ab.device)
        return self._nearest[index[:, 0], index[:, 1]]
