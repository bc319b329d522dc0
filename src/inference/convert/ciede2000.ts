type Lab = readonly [number, number, number];

const radians = (degrees: number) => (degrees * Math.PI) / 180;
const hueOf = (b: number, a: number) => {
  const degrees = (Math.atan2(b, a) * 180) / Math.PI;
  return degrees < 0 ? degrees + 360 : degrees;
};
const root7 = (chroma: number) => Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7));

/**
 * Colour difference as people see it; about 1 is the smallest that trained eyes notice side by side.
 * @see Sharma, Wu, Dalal, The CIEDE2000 Color-Difference Formula, 2005
 */
export function ciede2000([l1, a1, b1]: Lab, [l2, a2, b2]: Lab): number {
  const shift = 0.5 * (1 - root7((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2));
  const [x1, x2] = [a1 * (1 + shift), a2 * (1 + shift)];
  const [c1, c2] = [Math.hypot(x1, b1), Math.hypot(x2, b2)];
  const grey = c1 * c2 === 0;
  const [h1, h2] = [hueOf(b1, x1), hueOf(b2, x2)];
  const turn = wrap(h2 - h1);
  const dh = grey ? 0 : 2 * Math.sqrt(c1 * c2) * Math.sin(radians(turn / 2));
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const h = meanHue(h1, h2, grey);
  const t =
    1 -
    0.17 * Math.cos(radians(h - 30)) +
    0.24 * Math.cos(radians(2 * h)) +
    0.32 * Math.cos(radians(3 * h + 6)) -
    0.2 * Math.cos(radians(4 * h - 63));
  const lightness = (l2 - l1) / (1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2));
  const chroma = (c2 - c1) / (1 + 0.045 * c);
  const hue = dh / (1 + 0.015 * c * t);
  const blue = Math.sin(radians(60 * Math.exp(-(((h - 275) / 25) ** 2))));
  const cross = -2 * root7(c) * blue * chroma * hue;
  return Math.sqrt(Math.max(0, lightness ** 2 + chroma ** 2 + hue ** 2 + cross));
}

/** Degrees to -180..180. */
function wrap(degrees: number): number {
  if (degrees > 180) return degrees - 360;
  return degrees < -180 ? degrees + 360 : degrees;
}

function meanHue(h1: number, h2: number, grey: boolean): number {
  if (grey) return h1 + h2;
  if (Math.abs(h1 - h2) <= 180) return (h1 + h2) / 2;
  return (h1 + h2 + (h1 + h2 < 360 ? 360 : -360)) / 2;
}
