"""Freely licensed photographs of a source the model never saw, from Debian's package gcompris-qt-data.

    apt-get download gcompris-qt-data && python3 free_photos.py gcompris-qt-data_*.deb free/

Writes 185 photographs of monuments, animals, landscapes and things to free/gcompris and 27 taken under water to
free/underwater (JPEG, short side at most 320 px). Authors and licences: the package's copyright file.
The names are those of Debian 12 (version 3.1-2); paintings and drawings are left out.
"""
import argparse
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

PAINTINGS = {"babyshapes", "paintings"}
EXCLUDED = {"categorization_022", "categorization_030", "categorization_071", "digital_electricity_000",
            "digital_electricity_001", "explore_monuments_034", "louis-braille_003",
            *(f"details_{number:03d}" for number in (0, 2, 4, 7, 8, 10, 12, 15, 19))}
UNDERWATER = {f"categorization_{number:03d}" for number in range(31, 52)} | {f"clickgame_{n:03d}" for n in range(6)}
MAGICS = (b"\xff\xd8\xff", b"RIFF", b"\x89PNG")


def pictures(data):
    """Opaque colour pictures of some size stored uncompressed in a Qt resource file (length, then content)."""
    for magic in MAGICS:
        at = data.find(magic)
        while at >= 0:
            size = struct.unpack(">I", data[at - 4:at])[0]
            if not (15_000 < size < 3_000_000 and at + size <= len(data)):
                at = data.find(magic, at + 4)
                continue
            picture = cv2.imdecode(np.frombuffer(data[at:at + size], np.uint8), cv2.IMREAD_UNCHANGED)
            if picture is not None and picture.ndim == 3 and min(picture.shape[:2]) >= 200:
                if picture.shape[2] == 3 or picture[..., 3].min() == 255:
                    yield picture[..., :3]
            at = data.find(magic, at + size)


def extract(package, output):
    """Debian package -> number of photographs written below `output`."""
    written = 0
    with tempfile.TemporaryDirectory() as unpacked:
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        for file in sorted(Path(unpacked).rglob("*.rcc")):
            if file.stem in PAINTINGS:
                continue
            for number, picture in enumerate(pictures(file.read_bytes())):
                name = f"{file.stem}_{number:03d}"
                if name in EXCLUDED:
                    continue
                scale = 320 / min(picture.shape[:2])
                if scale < 1:
                    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                folder = Path(output) / ("underwater" if name in UNDERWATER else "gcompris")
                folder.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
                written += 1
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help="gcompris-qt-data_*.deb")
    parser.add_argument("output", help="folder to write to")
    options = parser.parse_args()
    written = extract(options.package, options.output)
    print(f"{written} photographs in {options.output}")
    if not written:
        sys.exit("no photograph found: is this gcompris-qt-data?")


if __name__ == "__main__":
    main()
