"""DDColor's pre- and post-processing after its published code, with OpenCV and numpy only.

Written from the reference (piddnad/DDColor, colorization pipeline), not from ours:
  img = imread BGR / 255; L of img at full size; img resized to (S, S), INTER_LINEAR;
  Lab -> (L, 0, 0) -> RGB is the network's input, NCHW; its a*b* answer goes back to full size
  (upstream: torch interpolate, mode nearest; others: bilinear), joins the original L, -> BGR x 255.

Reads a JSON job: {"photo", "input": {"size", "out"}, "renders": [{"mode", "plane", "width",
"height", "out"}]}. `plane` and `input.out` are raw little-endian float32; renders become PNG.
"""
import json
import sys

import cv2
import numpy as np


def model_input(bgr, size):
    small = cv2.resize(bgr, (size, size), interpolation=cv2.INTER_LINEAR)
    lightness = cv2.cvtColor(small, cv2.COLOR_BGR2Lab)[:, :, :1]
    grey_lab = np.concatenate([lightness, np.zeros_like(lightness), np.zeros_like(lightness)], 2)
    return cv2.cvtColor(grey_lab, cv2.COLOR_LAB2RGB).transpose(2, 0, 1)


def nearest(plane, width, height):
    """torch.nn.functional.interpolate without a mode: source index floor(i * in / out)."""
    rows = np.floor(np.arange(height) * (plane.shape[0] / height)).astype(int)
    columns = np.floor(np.arange(width) * (plane.shape[1] / width)).astype(int)
    return plane[np.minimum(rows, plane.shape[0] - 1)][:, np.minimum(columns, plane.shape[1] - 1)]


def render(bgr, plane, mode):
    height, width = bgr.shape[:2]
    if mode == "reference":
        ab = nearest(plane, width, height)
    else:
        ab = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    lightness = cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab)[:, :, :1]
    out = cv2.cvtColor(np.concatenate([lightness, ab.astype(np.float32)], 2), cv2.COLOR_LAB2BGR)
    return (np.clip(out, 0, 1) * 255.0).round().astype(np.uint8)


def main():
    job = json.load(sys.stdin)
    bgr = cv2.imread(job["photo"], cv2.IMREAD_COLOR).astype(np.float32) / 255.0
    tensor = model_input(bgr, job["input"]["size"])
    tensor.astype("<f4").tofile(job["input"]["out"])
    for r in job["renders"]:
        ab = np.fromfile(r["plane"], "<f4").reshape(2, r["height"], r["width"]).transpose(1, 2, 0)
        cv2.imwrite(r["out"], render(bgr, np.ascontiguousarray(ab), r["mode"]))
    print(cv2.__version__)


main()
