"""What old prints and their scans do to a photograph, applied to lightness only.

Every function takes lightness float32 [H, W] in 0..1 and a numpy Generator and returns the same shape;
the colours the network must find stay those of the undamaged photograph.
"""
import cv2
import numpy as np


def tone(lightness, rng):
    """Another film and exposure: gamma and an S-curve."""
    lightness = np.clip(lightness, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.22)))
    bend = np.float32(rng.uniform(-0.25, 0.35))
    return lightness + bend * lightness * (1 - lightness) * (2 * lightness - 1)


def fade(lightness, rng):
    """Faded print or flat scan: blacks rise, whites sink; down to a third of the contrast."""
    span = rng.uniform(0.35, 0.95)
    floor = rng.uniform(0, 1 - span)
    return np.float32(floor) + np.float32(span) * lightness


def shade(lightness, rng):
    """Vignette or uneven light: a broad bright or dark spot."""
    height, width = lightness.shape
    y, x = np.ogrid[:height, :width]
    cy, cx = rng.uniform(0.2, 0.8) * height, rng.uniform(0.2, 0.8) * width
    distance = ((y - cy) / height) ** 2 + ((x - cx) / width) ** 2
    return lightness + np.float32(rng.uniform(-0.35, 0.2)) * distance.astype(np.float32)


def soften(lightness, rng):
    """Out of focus, or enlarged from a small scan."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(lightness, (0, 0), rng.uniform(0.4, 1.6))
    height, width = lightness.shape
    scale = rng.uniform(0.4, 0.9)
    small = cv2.resize(lightness, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def grain(lightness, rng):
    """Film grain or paper texture: noise, fine or coarse, strongest in the mid-tones."""
    height, width = lightness.shape
    coarse = rng.uniform(1, 3)
    noise = rng.standard_normal((int(height / coarse) + 1, int(width / coarse) + 1), dtype=np.float32)
    noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    strength = np.float32(rng.uniform(0.005, 0.06))
    return lightness + strength * noise * (0.4 + 2.4 * lightness * (1 - lightness))


def damage(lightness, rng):
    """Dust, scratches and a crease: a few thin light or dark marks."""
    lightness = lightness.copy()
    height, width = lightness.shape
    for _ in range(rng.integers(1, 8)):
        start = (int(rng.integers(width)), int(rng.integers(height)))
        reach = rng.choice([2, height // 2])
        end = (start[0] + int(rng.integers(-reach, reach + 1)), start[1] + int(rng.integers(-reach, reach + 1)))
        cv2.line(lightness, start, end, float(rng.choice([0.02, 0.95])), 1)
    return lightness


def darken(lightness, rng):
    """Under-exposed or printed too dark."""
    return np.float32(rng.uniform(0.55, 1)) * np.clip(lightness, 0, 1) ** np.float32(rng.uniform(1.1, 2.0))


def stain(lightness, rng):
    """Damp and foxing: a few broad soft patches, lighter or darker, some with a tide line."""
    height, width = lightness.shape
    field = rng.standard_normal((int(rng.integers(3, 8)),) * 2, dtype=np.float32)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    patch = np.clip((field - np.float32(rng.uniform(0.6, 1.4))) / np.float32(rng.uniform(0.05, 0.6)), 0, 1)
    if rng.random() < 0.3:
        patch = patch * (1.6 - patch) * np.float32(1.5)
    return lightness + np.float32(rng.uniform(-0.3, 0.25)) * patch


def halftone(lightness, rng):
    """Printed in a newspaper or book: a screen of dots at an angle, a little blurred by the scan."""
    height, width = lightness.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle, pitch = rng.uniform(0, np.pi / 2), rng.uniform(2.2, 5)
    turn = np.float32(2 * np.pi / pitch)
    across, along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)), \
        y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))
    screen = np.cos(turn * across) * np.cos(turn * along)
    dotted = lightness + np.float32(rng.uniform(0.06, 0.3)) * screen * (0.3 + 2.8 * lightness * (1 - lightness))
    return cv2.GaussianBlur(dotted, (0, 0), rng.uniform(0.4, 0.9))


STEPS = [(tone, 0.6), (darken, 0.1), (soften, 0.3), (fade, 0.35), (shade, 0.2), (halftone, 0.05), (stain, 0.08),
         (grain, 0.35), (damage, 0.06)]


def age(lightness, rng, strength=1.0):
    """Apply each step with its own probability times `strength`."""
    for step, probability in STEPS:
        if rng.random() < probability * strength:
            lightness = step(lightness, rng)
    return np.clip(lightness, 0, 1, dtype=np.float32)


def mount(lab, rng):
    """Set the photograph on neutral card, as albums do: the card stays without colour."""
    height, width = lab.shape[:2]
    card = np.zeros_like(lab)
    card[..., 0] = rng.uniform(10, 97) + rng.normal(0, 1.2, (height, width))
    even = rng.uniform(0.04, 0.16)
    shares = (even,) * 4 if rng.random() < 0.6 else rng.uniform(0.03, 0.18, 4)
    top, bottom, left, right = (max(2, int(share * min(height, width))) for share in shares)
    inner = (width - left - right, height - top - bottom)
    card[top:height - bottom, left:width - right] = cv2.resize(lab, inner, interpolation=cv2.INTER_AREA)
    return card
