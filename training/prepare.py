"""Pack colour photographs for training: decode once, shrink, store raw pixels next to an index.

    python3 prepare.py ~/Photos packed/                    any folder, sub-folders become sources
    python3 prepare.py data/train-*.tar packed/ --index data/train.csv

Writes packed/pixels.bin (RGB bytes, one photograph after another) and packed/index.csv
(file, source, category, width, height, offset, chroma, neutral: the share of grey pixels).
"""
import argparse
import csv
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np

from colour import rgb_to_lab
from metrics import NEUTRAL

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
FIELDS = ["file", "source", "category", "width", "height", "offset", "chroma", "neutral"]


def photographs(inputs):
    """Yield (name, encoded bytes) of every picture in folders and tar files, in a stable order."""
    for path in map(Path, inputs):
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.lower() in PICTURES:
                    yield file.relative_to(path).as_posix(), file.read_bytes()
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.isfile() and Path(member.name).suffix.lower() in PICTURES:
                        yield member.name, archive.extractfile(member).read()
        else:
            sys.exit(f"{path}: neither a folder nor a tar file")


def decode(data, short_side=None):
    """Encoded picture -> RGB uint8 [H, W, 3], shrunk so that the short side is at most short_side; None if broken."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        return None
    scale = short_side / min(bgr.shape[:2]) if short_side else 1
    if scale < 1:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_labels(index):
    """CSV with file, source, category -> {file: (source, category)}."""
    if not index:
        return {}
    with open(index, newline="") as file:
        return {row["file"]: (row["source"], row["category"]) for row in csv.DictReader(file)}


def prepare(inputs, output, index=None, short_side=192, min_chroma=2.0):
    """Pack `inputs` into the folder `output`. Returns (kept, broken, colourless) counts."""
    output, labels = Path(output), read_labels(index)
    output.mkdir(parents=True, exist_ok=True)
    kept = broken = colourless = offset = 0
    with open(output / "pixels.bin", "wb") as pixels, open(output / "index.csv", "w", newline="") as table:
        rows = csv.DictWriter(table, FIELDS)
        rows.writeheader()
        for name, data in photographs(inputs):
            rgb = decode(data, short_side)
            if rgb is None or min(rgb.shape[:2]) < 32:
                broken += 1
                continue
            chromas = np.linalg.norm(rgb_to_lab(rgb)[..., 1:], axis=-1)
            chroma = float(chromas.mean())
            if chroma < min_chroma:  # a black-and-white photograph teaches grey
                colourless += 1
                continue
            folder = name.split("/")[0] if "/" in name else "photos"
            source, category = labels.get(name, (folder, ""))
            rows.writerow({"file": name, "source": source, "category": category, "width": rgb.shape[1],
                           "height": rgb.shape[0], "offset": offset, "chroma": f"{chroma:.2f}",
                           "neutral": f"{(chromas <= NEUTRAL).mean():.3f}"})
            pixels.write(rgb.tobytes())
            offset += rgb.nbytes
            kept += 1
            if kept % 1000 == 0:
                print(f"{kept} photographs", file=sys.stderr, flush=True)
    return kept, broken, colourless


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", help="folders or tar files of colour photographs")
    parser.add_argument("output", help="folder for pixels.bin and index.csv")
    parser.add_argument("--index", help="CSV with columns file, source, category (default: sub-folder names)")
    parser.add_argument("--short-side", type=int, default=192, help="shrink to this many pixels (default %(default)s)")
    parser.add_argument("--min-chroma", type=float, default=2.0,
                        help="skip pictures whose mean a*b* chroma is below this (default %(default)s)")
    arguments = parser.parse_args()
    kept, broken, colourless = prepare(arguments.inputs, arguments.output, arguments.index, arguments.short_side,
                                       arguments.min_chroma)
    print(f"{kept} photographs packed into {arguments.output}; {broken} unreadable or tiny, "
          f"{colourless} without colour left out")
    if not kept:
        sys.exit("no colour photograph found")


if __name__ == "__main__":
    main()
