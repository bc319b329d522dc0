"""Drawn damage and things that only look like it, for the mask network.

A photograph is enlarged first, so that it is as soft per pixel as a real scan of an old print; wires, lettering and
fences are drawn before that and blur with it, scratches and dust after it. That difference is what the network learns.
Lightness is float32 [H, W] in 0..1 everywhere; masks are float32 [H, W], how much of a pixel is damaged.
"""
import cv2
import numpy as np

CLASSES = ("thin", "speck", "crease", "tear")  # scratches and hairs; dust; folds; torn or missing paper
FAINT, CLEAR = 0.03, 0.08  # a change of lightness below FAINT is no damage, above CLEAR it is; between: not learnt
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def curve(rng, size, length, bend):
    """Points of a smooth random path [N, 2] (x, y), `length` pixels long, turning by about `bend` radians in all."""
    count = max(3, int(length / 6))
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, bend / count ** 0.5, count))
    steps = np.stack([np.cos(angle), np.sin(angle)], 1) * (length / count)
    path = np.cumsum(steps, 0)
    return path - path[count // 2] + rng.uniform(0.05, 0.95, 2) * size


def stroke(size, points, width, rng, broken=0.0):
    """Soft line along `points` -> mask; parts are left out with probability `broken`."""
    mask, fine = np.zeros((size, size), np.float32), 8
    for start, end in zip(points[:-1], points[1:]):
        if rng.random() >= broken:
            ends = [tuple(int(v) for v in np.rint(point * fine)) for point in (start, end)]
            cv2.line(mask, *ends, 1.0, max(1, round(width)), cv2.LINE_AA, 3)
    return cv2.GaussianBlur(mask, (0, 0), 0.35 + 0.25 * width * rng.uniform(0.5, 1)) * min(1.0, 0.6 + width / 3)


def thin(size, rng):
    """A scratch, nearly straight, or a hair, curled."""
    hair = rng.random() < 0.4
    length = rng.uniform(15, 90) if hair else rng.uniform(30, 1.3 * size)
    points = curve(rng, size, length, rng.uniform(1, 5) if hair else rng.uniform(0, 0.3))
    return stroke(size, points, rng.uniform(0.8, 2.8), rng, 0.0 if hair else rng.choice([0, 0, 0.3, 0.6]))


def speck(size, rng):
    """Dust or a pinhole: a small blob, seldom round."""
    mask = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 12)):
        axes = (int(rng.integers(1, 5)), int(rng.integers(1, 4)))
        place = tuple(int(v) for v in rng.integers(0, size, 2))
        cv2.ellipse(mask, place, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.4, 0.9))


def crease(size, rng):
    """A fold across the picture: a cracked line; its shadow comes with `shadow`."""
    points = curve(rng, size, 1.6 * size, rng.uniform(0, 0.25))
    points = points + rng.normal(0, rng.uniform(0, 1.2), points.shape)
    return np.maximum(stroke(size, points, rng.uniform(1.5, 5), rng, rng.choice([0, 0.2, 0.4])),
                      0.6 * stroke(size, points + rng.uniform(-2, 2, 2), rng.uniform(0.8, 2), rng, 0.2))


def tear(size, rng):
    """Torn edge or corner: a ragged region from the border inwards."""
    depth = np.abs(np.cumsum(rng.normal(0, 1.6, size)) + rng.uniform(3, 0.22 * size))
    depth += cv2.GaussianBlur(rng.normal(0, 3, (1, size)).astype(np.float32), (0, 0), 1.2)[0]
    taper = np.clip(np.abs(np.linspace(-1.4, 1.4, size) - rng.uniform(-1, 1)) / rng.uniform(0.2, 1.4), 0, 1)
    mask = (np.arange(size)[:, None] < (depth * (1 - taper))[None]).astype(np.float32)
    return cv2.GaussianBlur(np.rot90(mask, rng.integers(4)).copy(), (0, 0), 0.6)


DRAWN = {"thin": thin, "speck": speck, "crease": crease, "tear": tear}
HOW_OFTEN = {"thin": 0.75, "speck": 0.6, "crease": 0.3, "tear": 0.15}


def shadow(lightness, mask, rng):
    """A fold bends the paper: one side of it lies in a soft shadow, which is no damage."""
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(4, 12))
    moved = np.roll(soft, tuple(int(v) for v in rng.integers(-5, 6, 2)), (0, 1))
    return lightness + np.float32(rng.uniform(-0.5, 0.3)) * moved


def lookalikes(lightness, rng):
    """Wires, fences, lettering, grass: drawn into the photograph, to be left alone."""
    size = lightness.shape[0]
    picture, tone = lightness.copy(), float(rng.choice([rng.uniform(0, 0.25), rng.uniform(0.7, 1)]))
    kind = rng.integers(4)
    if kind == 0:  # wires and rigging
        for _ in range(rng.integers(1, 5)):
            points = curve(rng, size, 2 * size, rng.uniform(0, 0.15))
            picture += (tone - picture) * stroke(size, points, rng.uniform(0.5, 1.4), rng)
    elif kind == 1:  # a fence or a grating
        step, slope = int(rng.integers(4, 12)), rng.uniform(-0.3, 0.3)
        for x in range(0, size, step):
            cv2.line(picture, (x, 0), (int(x + slope * size), size), tone, 1, cv2.LINE_AA)
    elif kind == 2:  # lettering
        text = "".join(rng.choice(list("ABCDEFGHKLMNORSTUWabdeghiknorstu0123456789&."), rng.integers(3, 12)))
        place = (int(rng.integers(-10, size // 2)), int(rng.integers(8, size)))
        written = np.zeros(picture.shape, np.uint8)
        cv2.putText(written, text, place, int(rng.choice(FONTS)), rng.uniform(0.25, 0.9), 255, 1, cv2.LINE_AA)
        picture += (tone - picture) * (written.astype(np.float32) / 255)
    else:  # grass, lashes, straw
        place = rng.uniform(0, size, 2)
        for _ in range(rng.integers(15, 60)):
            start = place + rng.normal(0, size / 8, 2)
            end = start + rng.normal([0, -6], [3, 4])
            cv2.line(picture, *(tuple(int(v) for v in p) for p in (start, end)), tone, 1, cv2.LINE_AA)
    return np.clip(picture, 0, 1)


def photograph(lightness, size, rng):
    """A part of a small photograph enlarged 2 to 6 times to size x size, with grain, as a scan of a print looks."""
    part = min(*lightness.shape, int(size / rng.uniform(2, 6)))
    top, left = (int(rng.integers(side - part + 1)) for side in lightness.shape)
    small = lightness[top:top + part, left:left + part]
    if rng.random() < 0.35:
        small = lookalikes(np.ascontiguousarray(small), rng)
    large = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.3:
        large = np.float32(rng.uniform(0, 0.3)) + np.float32(rng.uniform(0.4, 0.7)) * large
    grain = cv2.GaussianBlur(rng.standard_normal((size, size), dtype=np.float32), (0, 0), rng.uniform(0.4, 1.2))
    return np.clip(large + np.float32(rng.uniform(0, 0.05)) * grain, 0, 1)


def damage(lightness, rng):
    """Undamaged lightness [H, H] -> (damaged lightness, truth [4, H, H], weight [H, H]: 0 where faint)."""
    size = lightness.shape[0]
    picture, truth = lightness.copy(), np.zeros((len(CLASSES), size, size), np.float32)
    changed = np.zeros_like(lightness)
    for index, name in enumerate(CLASSES):
        if rng.random() >= HOW_OFTEN[name]:
            continue
        for _ in range(1 if name in ("tear", "crease") else rng.integers(1, 7)):
            mask = DRAWN[name](size, rng)
            if name == "crease":
                picture = shadow(picture, mask, rng)
            paper = rng.uniform(0.75, 1.0) if rng.random() < 0.7 else rng.uniform(0, 0.2)
            change = (np.float32(paper) - picture) * mask * np.float32(rng.uniform(0.4, 1))
            picture, changed = picture + change, np.maximum(changed, np.abs(change))
            truth[index] = np.maximum(truth[index], (np.abs(change) > CLEAR).astype(np.float32))
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 0.7))
    picture += np.float32(rng.uniform(0, 0.02)) * rng.standard_normal(picture.shape, dtype=np.float32)
    faint = (changed > FAINT) & (truth.max(0) == 0)
    return np.clip(picture, 0, 1), truth, 1 - faint.astype(np.float32)


def sample(lightness, size, rng, clean=0.2):
    """One training example from a photograph's lightness: float32 [1, size, size], [4, size, size], [size, size]."""
    picture = photograph(lightness, size, rng)
    if rng.random() < clean:
        return picture[None], np.zeros((len(CLASSES), size, size), np.float32), np.ones_like(picture)
    picture, truth, weight = damage(picture, rng)
    return picture[None], truth, weight
