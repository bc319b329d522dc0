"""Measure a colouriser against grey and a constant sepia tint.

    python3 evaluate.py run/average.pt val/            a folder (sub-folders are sources) or a tar file

Each photograph is squashed to 256 px (bilinear), its a*b* predicted from its L*, and compared over all pixels:
ab-RMSE = sqrt(mean over pixels and the two channels), PSNR and CIEDE2000 of the recombined sRGB pictures.
A pale wash of one colour scores well by these, so always read beside them: chroma and spread (within a photograph)
as a share of the truth's, the shares of grey (chroma up to 6) and of purple pixels (hue 320 to 360 degrees), the
share of photographs that came out worse than grey, and colourfulness (Hasler and Suesstrunk 2003).
"""
import argparse
import json
import sys

import cv2
import numpy as np
import torch

from colour import Bins, grey_rgb, lab_to_rgb, rgb_to_lab
from metrics import chroma, ciede2000, colourfulness, neutral_share, psnr, purple_share, spread
from network import Decoder, StarterModel, network_from
from prepare import decode, photographs

SIZE = 256


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


class Score:
    """Running totals of one method on one group of photographs."""

    def __init__(self):
        self.totals, self.count = {}, 0

    def add(self, figures):
        self.count += 1
        for name, value in figures.items():
            self.totals[name] = self.totals.get(name, 0.0) + value

    def row(self, grey, truth):
        """Totals of this method, of leaving grey and of the truth -> the figures of the table."""
        mean = {name: total / self.count for name, total in self.totals.items()}
        rmse, grey_rmse = mean["squared"] ** 0.5, (grey.totals["squared"] / grey.count) ** 0.5
        return {"ab_rmse": rmse, "below_grey": 100 * (1 - rmse / grey_rmse), "psnr": mean["psnr"],
                "ciede2000": mean["ciede2000"], "colourfulness": mean["colourfulness"],
                "chroma_ratio": self.totals["chroma"] / max(truth.totals["chroma"], 1e-9),
                "spread_ratio": self.totals["spread"] / max(truth.totals["spread"], 1e-9),
                "neutral": 100 * mean["neutral"], "purple": 100 * mean["purple"], "worse": 100 * mean["worse"],
                "photographs": self.count}


def figures(lab, ab, rgb):
    """One photograph's true L*a*b* and RGB and a method's a*b* -> what Score adds up."""
    output = lab_to_rgb(np.dstack([lab[..., :1], ab]))
    squared = float(np.square(ab - lab[..., 1:]).mean())
    difference = ciede2000(rgb_to_lab(np.ascontiguousarray(output[::2, ::2])), lab[::2, ::2])
    return {"squared": squared, "chroma": float(chroma(ab).mean()), "spread": spread(ab), "psnr": psnr(output, rgb),
            "ciede2000": float(difference.mean()), "colourfulness": colourfulness(output),
            "neutral": neutral_share(ab), "purple": purple_share(ab),
            "worse": float(squared > np.square(lab[..., 1:]).mean())}


def evaluate(model, photos, size=SIZE):
    """StarterModel, [(source, RGB)] -> {"all" or source: {"grey" | "sepia" | "model" | "truth": figures}}."""
    prepared = [(source, squash(rgb, size)) for source, rgb in photos]
    labs = [rgb_to_lab(rgb) for _, rgb in prepared]
    tint = np.mean([lab[..., 1:].mean((0, 1)) for lab in labs], 0)
    scores = {}
    for (source, rgb), lab in zip(prepared, labs):
        outputs = {"grey": np.zeros_like(lab[..., 1:]), "sepia": np.broadcast_to(tint, lab[..., 1:].shape),
                   "model": predict(model, lab), "truth": lab[..., 1:]}
        for name, ab in outputs.items():
            found = figures(lab, ab, rgb)
            for group in ("all", source):
                scores.setdefault(group, {}).setdefault(name, Score()).add(found)
    return {group: {name: score.row(methods["grey"], methods["truth"]) for name, score in methods.items()}
            for group, methods in scores.items()}


def load_checkpoint(file):
    """Checkpoint of train.py -> network in evaluation mode."""
    return network_from(torch.load(file, map_location="cpu")["model"]).eval()


def decoder_of(file, **settings):
    """Checkpoint -> Decoder as it was trained with, but for the settings that are not None."""
    state = torch.load(file, map_location="cpu")
    trained = {"temperature": state.get("temperature", 0.42), "debias": state.get("debias", 0.0)}
    return Decoder(Bins(), **{**trained, **{name: value for name, value in settings.items() if value is not None}})


def add_model_arguments(parser):
    """The decoder's settings, the same for every script that runs a checkpoint."""
    parser.add_argument("checkpoint", help="average.pt of train.py")
    parser.add_argument("--temperature", type=float, help="default: as trained")
    parser.add_argument("--debias", type=float, help="power of the class weights to take off (default: as trained)")
    parser.add_argument("--sure", type=float, default=0.0, help="how far doubtful colours are held back")
    parser.add_argument("--gain", type=float, default=1.0)
    parser.add_argument("--sight", type=int, default=0, help="shrink larger inputs inside the model (0: never)")


def build_model(options):
    """Parsed add_model_arguments -> StarterModel in evaluation mode."""
    decoder = decoder_of(options.checkpoint, temperature=options.temperature, debias=options.debias,
                         gain=options.gain, sure=options.sure)
    return StarterModel(load_checkpoint(options.checkpoint), decoder, options.sight).eval()


COLUMNS = [("ab_rmse", "ab-RMSE", 2), ("below_grey", "below grey %", 1), ("chroma_ratio", "chroma", 2),
           ("spread_ratio", "spread", 2), ("neutral", "neutral %", 1), ("purple", "purple %", 1),
           ("worse", "worse %", 1), ("ciede2000", "dE2000", 2), ("psnr", "PSNR", 2), ("colourfulness", "colourful", 1)]


def table(results):
    """Result of evaluate() -> text."""
    lines = [f"{'source':<12}{'method':<8}" + "".join(f"{title:>13}" for _, title, _ in COLUMNS) + f"{'count':>7}"]
    for group, methods in results.items():
        for name, row in methods.items():
            lines.append(f"{group:<12}{name:<8}" + "".join(f"{row[key]:13.{digits}f}" for key, _, digits in COLUMNS)
                         + f"{row['photographs']:7d}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_arguments(parser)
    parser.add_argument("photos", nargs="+", help="folders or tar files of colour photographs")
    parser.add_argument("--size", type=int, default=SIZE, help="side in px, a multiple of 32 (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    photos = [photo for path in options.photos for photo in load_folder(path)]
    if not photos:
        sys.exit(f"{', '.join(options.photos)}: no photograph found")
    results = evaluate(build_model(options), photos, options.size)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print(table(results))


if __name__ == "__main__":
    main()
