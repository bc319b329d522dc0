import sharp from 'sharp';
import type { Glyphs } from './glyphs.js';
import type { Overlay } from './overlay.js';

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** GB 45438-2025: the text at least 5 % of the shortest side. The plate behind it is no text. */
const SHARE_OF_SHORT_EDGE = 0.05;
/**
 * The standard also wants letters that can be read: capitals of 9 px, where there is room, and never
 * less than 6, below which Chinese characters run together.
 */
const LEGIBLE_CAP_PX = 9;
const SMALLEST_CAP_PX = 6;
/** Of a picture's area; a label that takes more is no mark on a picture but a picture of its own. */
const MAX_AREA_SHARE = 0.25;
const LINE_EM = 1.25;

/**
 * The visible label: white on a dark plate in the lower right corner, wrapped where it must be. In
 * small pictures it shrinks to what can just be read. Where even that would cover more than a
 * quarter there is none: a smear that nobody can read labels nothing, and one that can be read leaves
 * no picture. The label inside the file is written all the same, and the caller says so.
 */
export async function paintLabel(
  glyphs: Glyphs,
  text: string,
  picture: Size,
): Promise<Overlay | undefined> {
  const short = Math.min(picture.widthPx, picture.heightPx);
  // Two pixels more: the outermost rows of a text are half transparent.
  const lawfulPx = Math.ceil(short * SHARE_OF_SHORT_EDGE) + 2;
  const ink = await inkOf(glyphs, text);
  const area = picture.widthPx * picture.heightPx;
  for (let capPx = LEGIBLE_CAP_PX; capPx >= SMALLEST_CAP_PX; capPx--) {
    const em = Math.max(lawfulPx / (ink.bottom - ink.top), capPx / glyphs.capHeightPx(1));
    const { svg, ...plate } = layOut(glyphs, text, em, ink, picture);
    const fits = plate.widthPx * plate.heightPx <= area * MAX_AREA_SHARE;
    if (fits || lawfulPx >= LEGIBLE_CAP_PX / capShare(glyphs, ink))
      return { ...plate, pixels: await rasterise(svg) };
  }
  return undefined;
}

/** How far letters reach above and below the baseline, in em; down is positive. */
interface Ink {
  readonly top: number;
  readonly bottom: number;
}

const MEASURED_EM_PX = 400;

/** A Chinese character is higher than a capital: the text is as high as the highest. */
async function inkOf(glyphs: Glyphs, text: string): Promise<Ink> {
  const line = glyphs.line(text, MEASURED_EM_PX);
  const [width, height] = [Math.ceil(line.widthPx) + 1, 2 * MEASURED_EM_PX];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><g transform="translate(0 ${MEASURED_EM_PX})">${line.svg}</g></svg>`;
  const pixels = await rasterise(svg);
  const rows: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (pixels[2 * (y * width + x) + 1]! > 200) {
        rows.push(y);
        break;
      }
  // Nothing but spaces: as high as a capital.
  if (rows.length === 0) return { top: -glyphs.capHeightPx(1), bottom: 0 };
  const inEm = (y: number) => (y - MEASURED_EM_PX) / MEASURED_EM_PX;
  return { top: inEm(rows[0]!), bottom: inEm(rows.at(-1)! + 1) };
}

/** Height of a capital as a share of the text's. */
const capShare = (glyphs: Glyphs, { top, bottom }: Ink) => glyphs.capHeightPx(1) / (bottom - top);

function layOut(glyphs: Glyphs, text: string, em: number, ink: Ink, picture: Size) {
  const short = Math.min(picture.widthPx, picture.heightPx);
  const padding = Math.max(1, Math.round(em * 0.2));
  const margin = Math.round(short * 0.02);
  const lines = wrap(glyphs, text, em, picture.widthPx - 2 * (padding + margin));
  const drawn = lines.map((line) => glyphs.line(line, em));
  const widthPx = Math.min(
    picture.widthPx,
    Math.ceil(Math.max(...drawn.map((l) => l.widthPx))) + 2 * padding,
  );
  const heightPx =
    Math.ceil(em * (LINE_EM * (lines.length - 1) + ink.bottom - ink.top)) + 2 * padding;
  const rows = drawn.map((line, i) => {
    const baseline = padding + em * (LINE_EM * i - ink.top);
    return `<g transform="translate(${padding} ${baseline})">${line.svg}</g>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}"><rect width="100%" height="100%" rx="${padding}" fill="#000" fill-opacity="0.55"/><g fill="#fff">${rows.join('')}</g></svg>`;
  return {
    xPx: Math.max(0, picture.widthPx - widthPx - margin),
    yPx: Math.max(0, picture.heightPx - heightPx - margin),
    widthPx,
    heightPx,
    tile: false,
    svg,
  };
}

/** Breaks between any two characters: labels are short and mostly Chinese. */
function wrap(glyphs: Glyphs, text: string, em: number, maxWidthPx: number): string[] {
  const lines = [''];
  for (const char of text) {
    const last = lines.length - 1;
    const longer = lines[last]! + char;
    if (lines[last] !== '' && glyphs.line(longer, em).widthPx > maxWidthPx) lines.push(char);
    else lines[last] = longer;
  }
  return lines;
}

/** A drawing without colour. @returns grey and alpha, interleaved. */
export async function rasterise(svg: string): Promise<Uint8Array> {
  const rgba = await sharp(Buffer.from(svg), { limitInputPixels: false, unlimited: true })
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer();
  const pixels = new Uint8Array(rgba.length / 2);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 2) {
    pixels[to] = rgba[from]!;
    pixels[to + 1] = rgba[from + 3]!;
  }
  return pixels;
}
