"""The mask network: a U-Net of 0.9 million weights that marks damage on the lightness of a photograph."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from draw import CLASSES

WIDTHS = (16, 32, 64, 96, 128)


def double(inputs, outputs):
    """Two 3 x 3 convolutions with batch normalisation and ReLU."""
    layers = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
                   nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class MaskNetwork(nn.Module):
    """Lightness 0..1 [N, 1, H, W], sides multiples of 16 -> logits [N, 4, H, W] of draw.CLASSES."""

    def __init__(self, widths=WIDTHS):
        super().__init__()
        self.down = nn.ModuleList(double(a, b) for a, b in zip((1, *widths[:-1]), widths))
        self.up = nn.ModuleList(double(a + b, a) for a, b in zip(widths[:-1], widths[1:]))
        self.head = nn.Conv2d(widths[0], len(CLASSES), 1)
        nn.init.constant_(self.head.bias, -4.0)  # damage is rare

    def forward(self, lightness):
        x, kept = lightness * 2 - 1, []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            kept.append(x)
        for level in reversed(range(len(self.up))):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.up[level](torch.cat([kept[level], x], 1))
        return self.head(x)


def mask_loss(logits, truth, weight):
    """Focal cross-entropy and a soft Dice term per class; pixels of weight 0 (faint damage) do not count."""
    weight = weight[:, None]
    likely = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    missed = (truth - likely).abs()
    focal = (weight * missed.square() * entropy).mean() * 20
    both = (weight * likely * truth).sum((0, 2, 3))
    each = (weight * (likely + truth)).sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    dice = (1 - (2 * both + 1) / (each + 1))[present]
    return focal + (dice.mean() if present.any() else 0.0)
