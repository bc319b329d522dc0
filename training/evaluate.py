"""Measure a colouriser against grey and a constant sepia tint.

    python3 evaluate.py run/average.pt val/            a folder (sub-folders are sources) or a tar file

Each photograph is squashed to 224 px (bilinear), its a*b* predicted from its L*, and compared over all pixels:
ab-RMSE = sqrt(mean over pixels and the two channels), PSNR of the recombined sRGB pictures, colourfulness
(Hasler and Suesstrunk 2003), and the mean chroma of the prediction over that of the truth.
"""
import argparse
import json
import sys

import cv2
import numpy as np
import torch

from colour import Bins, grey_rgb, lab_to_rgb, rgb_to_lab
from network import Colouriser, Decoder, StarterModel
from prepare import decode, photographs

SIZE = 224


def load_folder(path):
    """Folder or tar file -> [(source, RGB uint8)], source being the first folder of the name."""
    found = ((name, decode(data)) for name, data in photographs([path]))
    return [(name.split("/")[-2] if "/" in name else "photos", rgb) for name, rgb in found if rgb is not None]


def squash(rgb, size=SIZE):
    return cv2.resize(rgb, (size, size), interpolation=cv2.INTER_LINEAR)


@torch.no_grad()
def predict(model, lab):
    """L*a*b* [H, W, 3] -> the a*b* that a StarterModel predicts from L* alone, float32 [H, W, 2]."""
    grey = torch.from_numpy(grey_rgb(lab[..., 0]).transpose(2, 0, 1)[None].copy())
    return model(grey)[0].permute(1, 2, 0).numpy()


def colourfulness(rgb):
    """Hasler and Suesstrunk, Measuring colourfulness in natural images, 2003. RGB uint8 -> about 0..150."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


class Score:
    """Running totals of one method on one group of photographs."""

    def __init__(self):
        self.squared, self.chroma, self.psnr, self.colourful, self.count = 0.0, 0.0, 0.0, 0.0, 0

    def add(self, lab, ab, rgb):
        self.squared += float(np.square(ab - lab[..., 1:]).mean())
        self.chroma += float(np.linalg.norm(ab, axis=-1).mean())
        output = lab_to_rgb(np.dstack([lab[..., :1], ab]))
        error = np.square(output.astype(np.float64) - rgb).mean()
        self.psnr += 10 * np.log10(255 ** 2 / max(error, 1e-3))
        self.colourful += colourfulness(output)
        self.count += 1

    def row(self, grey, truth):
        rmse = (self.squared / self.count) ** 0.5
        return {"ab_rmse": rmse, "below_grey": 100 * (1 - rmse / (grey.squared / grey.count) ** 0.5),
                "psnr": self.psnr / self.count, "colourfulness": self.colourful / self.count,
                "chroma_ratio": self.chroma / max(truth.chroma, 1e-9), "photographs": self.count}


def evaluate(model, photos, size=SIZE):
    """StarterModel, [(source, RGB)] -> {"all" or source: {"grey" | "sepia" | "model" | "truth": figures}}."""
    prepared = [(source, squash(rgb, size)) for source, rgb in photos]
    labs = [rgb_to_lab(rgb) for _, rgb in prepared]
    tint = np.mean([lab[..., 1:].mean((0, 1)) for lab in labs], 0)
    scores = {}
    for (source, rgb), lab in zip(prepared, labs):
        outputs = {"grey": np.zeros_like(lab[..., 1:]), "sepia": np.broadcast_to(tint, lab[..., 1:].shape),
                   "model": predict(model, lab), "truth": lab[..., 1:]}
        for group in ("all", source):
            for name, ab in outputs.items():
                scores.setdefault(group, {}).setdefault(name, Score()).add(lab, ab, rgb)
    return {group: {name: score.row(methods["grey"], methods["truth"]) for name, score in methods.items()}
            for group, methods in scores.items()}


def load_checkpoint(file):
    """Checkpoint of train.py -> network in evaluation mode."""
    network = Colouriser()
    network.load_state_dict(torch.load(file, map_location="cpu")["model"])
    return network.eval()


def add_model_arguments(parser):
    """The decoder's settings, the same for every script that runs a checkpoint."""
    parser.add_argument("checkpoint", help="average.pt of train.py")
    parser.add_argument("--temperature", type=float, default=0.42)
    parser.add_argument("--gain", type=float, default=1.0)
    parser.add_argument("--lift", type=float, default=0.0)
    parser.add_argument("--sight", type=int, default=0, help="shrink larger inputs inside the model (0: never)")


def build_model(options):
    """Parsed add_model_arguments -> StarterModel in evaluation mode."""
    decoder = Decoder(Bins(), options.temperature, options.gain, options.lift)
    return StarterModel(load_checkpoint(options.checkpoint), decoder, options.sight).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_arguments(parser)
    parser.add_argument("photos", help="folder or tar file of colour photographs")
    parser.add_argument("--size", type=int, default=SIZE, help="side in px, a multiple of 32 (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    photos = load_folder(options.photos)
    if not photos:
        sys.exit(f"{options.photos}: no photograph found")
    results = evaluate(build_model(options), photos, options.size)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'source':<12}{'method':<8}{'ab-RMSE':>8}{'below grey':>12}{'PSNR':>7}{'colourful':>11}{'chroma':>8}")
    for group, methods in results.items():
        for name, row in methods.items():
            print(f"{group:<12}{name:<8}{row['ab_rmse']:8.2f}{row['below_grey']:11.1f}%{row['psnr']:7.2f}"
                  f"{row['colourfulness']:11.1f}{row['chroma_ratio']:8.2f}")


if __name__ == "__main__":
    main()
