import type { ChromaGrid } from './chroma-grid.js';
import { gridPosition, planeCount, segmentsOf } from './chroma-grid.js';
import { createLayout, type Layout } from './kernel-memory.js';
import { fFromLight, LUMINANCE, linearFromSrgb, srgbFromLinear } from './lab.js';
import { type RecombineKit, ROOT_STEPS } from './recombine-kit.js';

/** Steps of the output curve; as in recombine.c. */
const CURVE_STEPS = 16_384;
/** Pixels a vector may write past a row's end. */
const PADDING = 8;

type BitDepth = 8 | 16;

/** The photo, the colours and what is to come out of them. */
export interface RecombineOptions {
  readonly grid: ChromaGrid;
  /** The photo. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly inChannels: number;
  readonly inDepth: BitDepth;
  /** Rows `input` holds. */
  readonly inRows: number;
  /** 3 or 4; a fourth sample is left alone. */
  readonly outChannels: number;
  readonly outDepth: BitDepth;
  /** Samples `output` holds. */
  readonly outSamples: number;
  /** Rows of lightness for finishing; 0: none. */
  readonly finishingRows: number;
}

/** One picture being coloured by one thread; buffers lie in the kit's memory. */
export interface Recombiner {
  /** Interleaved source samples, inRows rows. */
  readonly input: Uint8Array;
  /** Interleaved result. Rows must be combined in ascending order: vectors overrun to the right. */
  readonly output: Uint8Array;
  /** Lightness f of finishingRows rows, for filters between reading and combining. */
  readonly finishing: Float32Array;
  /** f of input row `row` into finishing row `to`. */
  readLightness(row: number, to: number): void;
  /**
   * Colours picture row y, which is input row `row`, to `output` from sample `outOffset` on.
   * @param finished finishing row that holds its lightness, or undefined for the original's.
   */
  combine(y: number, row: number, outOffset: number, finished: number | undefined): void;
}

/**
 * L*a*b* recombination at full size: chroma enlarged from the grid, out of gamut chroma reduced
 * along its hue (`reference`: RGB clipped, as upstream), lightness kept.
 * One kit serves one recombiner at a time: making the next ends the last.
 */
export function createRecombiner(kit: RecombineKit, options: RecombineOptions): Recombiner {
  const { kernel, memory } = kit;
  const { grid, widthPx, inChannels, inDepth, outDepth } = options;
  const at = placeBuffers(createLayout(memory, kit.free), options);
  const inRowBytes = widthPx * inChannels * (inDepth / 8);
  const lightness = inDepth === 16 ? kernel.lightness16 : kernel.lightness8;
  const { red, green, blue, grey } = at;
  const readRow = (row: number, to: number) => {
    const input = at.input + row * inRowBytes;
    lightness(input, inChannels, widthPx, red, green, blue, grey, kit.roots, to);
  };
  const finishingRow = (i: number) => at.finishing + 4 * i * widthPx;

  /** struct Row of recombine.c. */
  const rowArguments = new Int32Array(memory.buffer, at.row, 15);
  rowArguments.set([
    at.guide,
    at.guide,
    at.gridRow,
    grid.widthPx,
    grid.upsampling === 'guided' ? 1 : 0,
    outDepth === 16 ? 1 : 0,
    options.outChannels,
    at.start,
    at.cell,
    at.phase,
    at.step,
    at.count,
    grid.upsampling === 'reference' ? 0 : kit.gamut,
    at.curve,
    at.output,
  ]);
  const F_ARGUMENT = 0;
  const OUT_ARGUMENT = 14;
  const size = grid.widthPx * grid.heightPx;
  const planes = planeCount(grid.upsampling);

  return {
    input: new Uint8Array(memory.buffer, at.input, options.inRows * inRowBytes),
    output: new Uint8Array(memory.buffer, at.output, options.outSamples * (outDepth / 8)),
    finishing: new Float32Array(memory.buffer, at.finishing, options.finishingRows * widthPx),
    readLightness: (row, to) => readRow(row, finishingRow(to)),
    combine(y, row, outOffset, finished) {
      readRow(row, at.guide);
      const { cell, phase } = gridPosition(y, options.heightPx, grid.heightPx, grid.upsampling);
      const below = Math.min(cell + 1, grid.heightPx - 1);
      kernel.grid_row(at.grid, planes, size, grid.widthPx, cell, below, phase, at.gridRow);
      rowArguments[F_ARGUMENT] = finished === undefined ? at.guide : finishingRow(finished);
      rowArguments[OUT_ARGUMENT] = at.output + outOffset * (outDepth / 8);
      kernel.combine(at.row);
    },
  };
}

/** Tables and buffers of one picture. @returns their offsets, and the number of runs */
function placeBuffers(layout: Layout, options: RecombineOptions) {
  const { grid, widthPx, inChannels, inDepth, outDepth, outChannels } = options;
  const { red, green, blue, grey } = codeTables(inDepth);
  const segments = segmentsOf(widthPx, grid.widthPx, grid.upsampling);
  const at = {
    red: layout.take(red),
    green: layout.take(green),
    blue: layout.take(blue),
    grey: layout.take(grey),
    curve: layout.take(outputCurve(outDepth)),
    grid: layout.take(grid.planes),
    start: layout.take(segments.start),
    cell: layout.take(segments.cell),
    phase: layout.take(segments.phase),
    step: layout.take(segments.step),
    count: segments.cell.length,
    row: layout.reserve(64),
    gridRow: layout.reserve(4 * planeCount(grid.upsampling) * grid.widthPx),
    guide: layout.reserve(4 * (widthPx + PADDING)),
    finishing: layout.reserve(4 * (options.finishingRows * widthPx + PADDING)),
    input: layout.reserve((options.inRows * widthPx + PADDING) * inChannels * (inDepth / 8)),
    output: layout.reserve((options.outSamples + PADDING * outChannels) * (outDepth / 8)),
  };
  layout.write();
  return at;
}

/** Made once per thread: at 16 bit they are 65,536 powers each. */
const codeTables = perDepth((depth) => {
  const last = 2 ** depth - 1;
  const table = (of: (light: number) => number) =>
    Float32Array.from({ length: last + 1 }, (_, i) => of(linearFromSrgb(i / last)));
  /** What each code of a channel adds to Y, in steps of the table of roots. */
  const shareOfY = (channel: 0 | 1 | 2) =>
    table((light) => light * LUMINANCE[channel] * ROOT_STEPS);
  return { red: shareOfY(0), green: shareOfY(1), blue: shareOfY(2), grey: table(fFromLight) };
});

/** 8 bit: the code of each step, rounded. 16 bit: codes to interpolate, plus a half to round by. */
const outputCurve = perDepth((depth): Uint8Array | Float32Array => {
  const curve = (i: number) => srgbFromLinear(Math.min(1, i / CURVE_STEPS));
  return depth === 8
    ? Uint8Array.from({ length: CURVE_STEPS + 2 }, (_, i) => Math.round(255 * curve(i)))
    : Float32Array.from({ length: CURVE_STEPS + 2 }, (_, i) => 65_535 * curve(i) + 0.5);
});

function perDepth<T>(make: (depth: BitDepth) => T): (depth: BitDepth) => T {
  const made = new Map<BitDepth, T>();
  return (depth) => {
    const known = made.get(depth) ?? make(depth);
    made.set(depth, known);
    return known;
  };
}
