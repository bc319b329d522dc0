import { F_BLACK } from '../color/lab.js';

/**
 * CLAHE on lightness: per tile, a curve from the tile's own histogram, its slope limited so that
 * flat areas do not turn into noise. Between tile centres the curves are blended.
 * @see Zuiderveld: Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994
 */
export interface ContrastCurves {
  readonly columns: number;
  readonly rows: number;
  /** [rows][columns][LEVELS + 1] f to f, float64. */
  readonly curves: Float64Array;
}

const LEVELS = 256;
const TILES = 8;
/** Steepest slope of a curve at strength 1. */
const CLIP = 2.5;

/**
 * @param f lightness of the whole photo at any small size.
 * @param strength 0 .. 1, blends the curve with the identity.
 */
export function contrastCurves(
  f: Float64Array,
  widthPx: number,
  heightPx: number,
  strength: number,
): ContrastCurves {
  const columns = Math.min(TILES, Math.max(1, widthPx >> 3));
  const rows = Math.min(TILES, Math.max(1, heightPx >> 3));
  const curves = new Float64Array(rows * columns * (LEVELS + 1));
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const histogram = new Float64Array(LEVELS);
      let count = 0;
      for (let y = edge(r, rows, heightPx); y < edge(r + 1, rows, heightPx); y++)
        for (let x = edge(c, columns, widthPx); x < edge(c + 1, columns, widthPx); x++, count++)
          histogram[Math.min(LEVELS - 1, level(f[y * widthPx + x]!) | 0)]!++;
      writeCurve(histogram, count, strength, curves, (r * columns + c) * (LEVELS + 1));
    }
  return { columns, rows, curves };
}

const edge = (i: number, parts: number, size: number) => Math.floor((i * size) / parts);

/** f to 0 .. LEVELS. */
function level(f: number): number {
  const at = ((f - F_BLACK) / (1 - F_BLACK)) * LEVELS;
  return at < 0 ? 0 : at > LEVELS ? LEVELS : at;
}

function writeCurve(
  histogram: Float64Array,
  count: number,
  strength: number,
  curves: Float64Array,
  at: number,
): void {
  const limit = (CLIP * count) / LEVELS;
  let excess = 0;
  for (let i = 0; i < LEVELS; i++) {
    const over = histogram[i]! - limit;
    if (over > 0) {
      excess += over;
      histogram[i] = limit;
    }
  }
  let sum = 0;
  for (let i = 0; i <= LEVELS; i++) {
    const equalised = count > 0 ? sum / count : i / LEVELS;
    const mixed = i / LEVELS + (equalised - i / LEVELS) * strength;
    curves[at + i] = F_BLACK + mixed * (1 - F_BLACK);
    if (i < LEVELS) sum += histogram[i]! + excess / LEVELS;
  }
}

/** Row y of a picture of `height` rows: f through the curves, in place. */
export function applyContrast(
  curves: ContrastCurves,
  f: Float32Array,
  y: number,
  height: number,
): void {
  const { columns, rows, curves: table } = curves;
  const width = f.length;
  const [r, rowShare] = between(y, height, rows);
  const below = Math.min(r + 1, rows - 1);
  const size = LEVELS + 1;
  for (let x = 0; x < width; x++) {
    const [c, share] = between(x, width, columns);
    const right = Math.min(c + 1, columns - 1);
    const at = level(f[x]!);
    const i = Math.min(at | 0, LEVELS - 1);
    const t = at - i;
    const read = (row: number, column: number) => {
      const base = (row * columns + column) * size + i;
      return table[base]! + (table[base + 1]! - table[base]!) * t;
    };
    const upper = read(r, c) * (1 - share) + read(r, right) * share;
    const lower = read(below, c) * (1 - share) + read(below, right) * share;
    f[x] = upper + (lower - upper) * rowShare;
  }
}

/** Tile whose centre lies before position i, and how far it is to the next one, 0..1. */
function between(i: number, size: number, parts: number): [number, number] {
  const at = ((i + 0.5) / size) * parts - 0.5;
  if (at <= 0) return [0, 0];
  if (at >= parts - 1) return [parts - 1, 0];
  const cell = Math.floor(at);
  return [cell, at - cell];
}
