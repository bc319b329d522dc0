"""What a colourised photograph is measured by. All on L*a*b* [H, W, 3] or a*b* [H, W, 2], float32."""
import numpy as np

NEUTRAL = 6.0  # chroma up to which a pixel counts as grey
PURPLE = (320.0, 360.0)  # hue in degrees


def chroma(ab):
    return np.hypot(ab[..., 0], ab[..., 1])


def neutral_share(ab):
    """Share of pixels that look grey; about a quarter in ordinary photographs."""
    return float((chroma(ab) <= NEUTRAL).mean())


def purple_share(ab):
    """Share of pixels that are visibly purple or mauve, the commonest fault of an average of blue and red."""
    hue = np.degrees(np.arctan2(ab[..., 1], ab[..., 0])) % 360
    return float(((hue >= PURPLE[0]) & (hue < PURPLE[1]) & (chroma(ab) > NEUTRAL)).mean())


def spread(ab):
    """How much the colours within one photograph differ: a wash of one colour has none."""
    return float(np.sqrt(ab[..., 0].var() + ab[..., 1].var()))


def colourfulness(rgb):
    """Hasler and Suesstrunk, Measuring colourfulness in natural images, 2003. RGB uint8 -> about 0..150."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def psnr(rgb, truth):
    """Two uint8 pictures -> dB."""
    error = np.square(rgb.astype(np.float64) - truth).mean()
    return float(10 * np.log10(255 ** 2 / max(error, 1e-3)))


def _hues(a, b, product):
    """Hues of both colours, their mean and difference in degrees, as CIEDE2000 wants them at the seam."""
    h1, h2 = (np.degrees(np.arctan2(bb, aa)) % 360 for aa, bb in zip(a, b))
    difference = np.where(product == 0, 0, (h2 - h1 + 180) % 360 - 180)
    total, far = h1 + h2, np.abs(h1 - h2) > 180
    mean = np.where(product == 0, total, np.where(far, (total + np.where(total < 360, 360, -360)) / 2, total / 2))
    return mean, difference


def ciede2000(first, second):
    """CIEDE2000 per pixel (CIE 142; Sharma, Wu and Dalal 2005, whose test data the tests use), k = 1."""
    l1, l2 = first[..., 0].astype(np.float64), second[..., 0].astype(np.float64)
    mean_chroma = (chroma(first[..., 1:].astype(np.float64)) + chroma(second[..., 1:].astype(np.float64))) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma ** 7 / (mean_chroma ** 7 + 25.0 ** 7))
    a = [lab[..., 1] * stretch for lab in (first, second)]
    b = [lab[..., 2].astype(np.float64) for lab in (first, second)]
    c1, c2 = (np.hypot(aa, bb) for aa, bb in zip(a, b))
    hue, turn = _hues(a, b, c1 * c2)
    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    cosine = lambda factor, shift: np.cos(np.radians(factor * hue + shift))
    t = 1 - 0.17 * cosine(1, -30) + 0.24 * cosine(2, 0) + 0.32 * cosine(3, 6) - 0.20 * cosine(4, -63)
    off = (lightness - 50) ** 2
    delta_l = (l2 - l1) / (1 + 0.015 * off / np.sqrt(20 + off))
    delta_c = (c2 - c1) / (1 + 0.045 * c)
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * c * t)
    rotation = -2 * np.sqrt(c ** 7 / (c ** 7 + 25.0 ** 7)) * np.sin(np.radians(60 * np.exp(-((hue - 275) / 25) ** 2)))
    return np.sqrt(np.maximum(0, delta_l ** 2 + delta_c ** 2 + delta_h ** 2 + rotation * delta_c * delta_h))
