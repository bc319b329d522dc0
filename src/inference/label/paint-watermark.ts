import type { Glyphs } from './glyphs.js';
import type { Overlay } from './overlay.js';
import { rasterise } from './paint-label.js';

const TILT_DEGREES = -30;
const SHARE_OF_SHORT_EDGE = 0.045;
const MIN_EM_PX = 12;

/**
 * Slanted text repeated over the whole picture, light with a dark rim so that it shows on any
 * ground. Lines are closer than a third of the short side: a useful crop always cuts some.
 */
export async function paintWatermark(
  glyphs: Glyphs,
  text: string,
  picture: { readonly widthPx: number; readonly heightPx: number },
): Promise<Overlay> {
  const short = Math.min(picture.widthPx, picture.heightPx);
  const em = Math.max(MIN_EM_PX, short * SHARE_OF_SHORT_EDGE);
  const line = glyphs.line(text, em);
  const tilt = (-TILT_DEGREES * Math.PI) / 180;
  const widthPx = Math.ceil(line.widthPx * Math.cos(tilt) + 2 * em);
  const heightPx = Math.ceil(line.widthPx * Math.sin(tilt) + 5 * em);
  const at = (x: number, y: number) =>
    `<g transform="translate(${x} ${y}) rotate(${TILT_DEGREES}) translate(${-line.widthPx / 2} ${em * 0.36})">${line.svg}</g>`;
  // The tile repeats without a seam: what its upper edge cuts continues at the lower one.
  const lines = [at(widthPx / 2, heightPx / 2), at(widthPx / 2, 0), at(widthPx / 2, heightPx)].join(
    '',
  );
  const rim = (em / 14) * (1 / em);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}"><g fill="#fff" fill-opacity="0.34" stroke="#000" stroke-opacity="0.22" stroke-width="${rim * 250}">${lines}</g></svg>`;
  return { xPx: 0, yPx: 0, widthPx, heightPx, tile: true, pixels: await rasterise(svg) };
}
