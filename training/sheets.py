"""Contact sheets to judge a checkpoint by eye, and its stability over picture sizes.

    python3 sheets.py run/average.pt old/ sheet.png --sizes 256 512          grey, then one column per size
    python3 sheets.py run/average.pt val/ sheet.png --truth --limit 60       with the true colours last
    python3 sheets.py run/average.pt old/ sheet.png --sizes 256 --against starter.pt     what was before, second
    python3 sheets.py run/average.pt val/ --stability                        mean CIE76 dE between 256, 384, 512

Each picture is squashed to the square model size, as the engine does by default; the predicted a*b* go back to
the photograph's own shape (bilinear) and join its own lightness.
"""
import argparse
import itertools
import sys

import cv2
import numpy as np
import torch

from colour import lab_to_rgb, rgb_to_lab
from evaluate import add_model_arguments, build_model, decoder_of, load_checkpoint, load_folder, predict
from network import StarterModel

SIZES = (256, 384, 512)


def predict_at(model, rgb, size):
    """RGB photograph -> a*b* [H, W, 2] at its own size, predicted at size x size."""
    lightness = rgb_to_lab(rgb)
    lightness[..., 1:] = 0  # a toned print is reduced to lightness first
    small = cv2.resize(lightness, (size, size), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(predict(model, small), rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def colourised(rgb, ab):
    return lab_to_rgb(np.dstack([rgb_to_lab(rgb)[..., :1], ab]))


def fit(rgb, height, width):
    """Shrink or enlarge to fit a cell, centred on white."""
    scale = min(height / rgb.shape[0], width / rgb.shape[1])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    cell = np.full((height, width, 3), 255, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cell[top:top + size[1], left:left + size[0]] = cv2.resize(rgb, size, interpolation=shrink)
    return cell


def contact_sheet(models, photos, sizes, cell=200, columns=3, truth=False):
    """[(source, RGB)] -> one RGB picture; per photograph: grey, every model and size, the truth if asked for."""
    groups = []
    for _, rgb in photos:
        row = [colourised(rgb, np.zeros((*rgb.shape[:2], 2), np.float32))]
        row += [colourised(rgb, predict_at(model, rgb, size)) for model in models for size in sizes]
        row += [rgb] if truth else []
        groups.append(np.hstack([fit(picture, cell, cell) for picture in row]))
    blank = np.full_like(groups[0], 255)
    groups += [blank] * (-len(groups) % columns)
    return np.vstack([np.hstack(groups[i:i + columns]) for i in range(0, len(groups), columns)])


def stability(model, photos, sizes=SIZES):
    """Mean CIE76 difference between the results at every pair of sizes -> {(size, size): dE}."""
    sums = {pair: 0.0 for pair in itertools.combinations(sizes, 2)}
    for _, rgb in photos:
        results = {size: predict_at(model, rgb, size) for size in sizes}
        for first, second in sums:
            sums[first, second] += float(np.linalg.norm(results[first] - results[second], axis=-1).mean())
    return {pair: total / len(photos) for pair, total in sums.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_arguments(parser)
    parser.add_argument("photos", help="folder or tar file of photographs")
    parser.add_argument("sheet", nargs="?", help="picture to write")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="default: 256 512")
    parser.add_argument("--limit", type=int, help="this many photographs, evenly spread")
    parser.add_argument("--cell", type=int, default=200, help="px per picture (default %(default)s)")
    parser.add_argument("--columns", type=int, default=3, help="photographs side by side (default %(default)s)")
    parser.add_argument("--truth", action="store_true", help="add the photograph's own colours")
    parser.add_argument("--against", help="another checkpoint, decoded as it was trained, shown before this one")
    parser.add_argument("--stability", action="store_true", help="print the mean dE between sizes")
    options = parser.parse_args()
    photos = load_folder(options.photos)
    if not photos:
        sys.exit(f"{options.photos}: no photograph found")
    if options.limit and options.limit < len(photos):
        photos = [photos[i] for i in np.linspace(0, len(photos) - 1, options.limit).round().astype(int)]
    model = build_model(options)
    torch.set_num_threads(2)
    if options.sheet:
        other = [StarterModel(load_checkpoint(options.against), decoder_of(options.against), options.sight).eval()] \
            if options.against else []
        sheet = contact_sheet([*other, model], photos, options.sizes, options.cell, options.columns, options.truth)
        cv2.imwrite(options.sheet, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if options.stability:
        for (first, second), difference in stability(model, photos).items():
            print(f"mean dE {first} against {second} px: {difference:.2f}")


if __name__ == "__main__":
    main()
