#!/usr/bin/env python3
"""Writes label-glyphs.json.gz: outlines of the characters that labels and watermarks may use.

The pipeline draws text from these outlines as SVG paths, so that a label looks the same on every
machine and needs no installed font. Source: Noto Sans CJK SC Bold (Debian fonts-noto-cjk, SIL Open
Font License 1.1, see OFL.txt). Characters: printable ASCII, common punctuation and the 3,755
characters of GB 2312 level 1.

Usage: build-glyphs.py [NotoSansCJK-Bold.ttc]
"""
import gzip
import json
import os
import sys

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTCollection

PATH = "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"
OUTPUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "label-glyphs.json.gz")
UNITS = 250


def characters():
    chars = {chr(c) for c in range(0x20, 0x7F)} | set("·×©®°±—–…“”‘’、。《》「」【】（），．：；！？￥～")
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                chars.add(bytes([high, low]).decode("gb2312"))
            except UnicodeDecodeError:
                pass
    return sorted(chars)


class RelativePen(BasePen):
    """SVG path with relative integer coordinates, y downwards: compact, exact to 1/250 em."""

    def __init__(self, glyphs, scale):
        super().__init__(glyphs)
        self.scale = scale
        self.at = (0, 0)
        self.parts = []

    def _to(self, *points):
        numbers = []
        for x, y in points:
            px, py = round(x * self.scale), round(-y * self.scale)
            numbers += [px - self.at[0], py - self.at[1]]
            end = (px, py)
        self.at = end
        text = ""
        for n in numbers:
            text += str(n) if not text or n < 0 else f" {n}"
        return text

    def _moveTo(self, p):
        self.start = p
        self.parts.append("m" + self._to(p))

    def _lineTo(self, p):
        self.parts.append("l" + self._to(p))

    def _curveToOne(self, a, b, c):
        # All three points are relative to the start of the curve.
        self.parts.append("c" + self._to(a, b, c))

    def _closePath(self):
        self.parts.append("z")
        self.at = (round(self.start[0] * self.scale), round(-self.start[1] * self.scale))


def main():
    collection = TTCollection(sys.argv[1] if len(sys.argv) > 1 else PATH)
    font = next(f for f in collection if f["name"].getDebugName(1) == "Noto Sans CJK SC")
    glyph_set, cmap = font.getGlyphSet(), font.getBestCmap()
    scale = UNITS / font["head"].unitsPerEm
    glyphs = {}
    for char in characters():
        if ord(char) not in cmap:
            continue
        glyph = glyph_set[cmap[ord(char)]]
        pen = RelativePen(glyph_set, scale)
        glyph.draw(pen)
        glyphs[char] = [round(glyph.width * scale), "".join(pen.parts)]
    os2 = font["OS/2"]
    text = json.dumps(
        {
            "source": "Noto Sans CJK SC Bold, SIL Open Font License 1.1, see OFL.txt",
            "unitsPerEm": UNITS,
            "capHeight": round(os2.sCapHeight * scale),
            "glyphs": glyphs,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    with open(OUTPUT, "wb") as file:
        file.write(gzip.compress(text.encode(), 9, mtime=0))


main()
