import type { ChromaGrid } from './chroma-grid.js';
import { gridPosition, planeCount, segmentsOf } from './chroma-grid.js';
import { createGamutTable } from './gamut.js';
import { fFromLight, linearFromSrgb, srgbFromLinear } from './lab.js';
import { recombineWasm } from './recombine-wasm.js';
import { type WasmMemory, type WasmModule, wasm } from './wasm.js';

/** Steps of the tables; as in recombine.c. */
const CURVE_STEPS = 16_384;
const ROOT_STEPS = 16_384;
/** Pixels a vector may write past a row's end. */
const PADDING = 8;
/** Stack and constants of the module lie below. */
const RESERVED_BYTES = 65_536;
const PAGE_BYTES = 65_536;

type BitDepth = 8 | 16;

/** Compiled code and tables of one thread, kept from picture to picture. */
export interface RecombineKit {
  readonly module: WasmModule;
  readonly gamut: Float32Array;
  readonly roots: Float32Array;
}

export function createRecombineKit(): RecombineKit {
  return {
    module: new wasm.Module(Buffer.from(recombineWasm, 'base64')),
    gamut: Float32Array.from(createGamutTable()),
    roots: Float32Array.from({ length: ROOT_STEPS + 2 }, (_, i) => fFromLight(i / ROOT_STEPS)),
  };
}

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

/** One picture being coloured by one thread; buffers lie in the module's memory. */
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

interface KernelExports {
  lightness8: LightnessFunction;
  lightness16: LightnessFunction;
  grid_row(
    grid: number,
    planes: number,
    size: number,
    width: number,
    top: number,
    bottom: number,
    t: number,
    row: number,
  ): void;
  combine(row: number): void;
}
type LightnessFunction = (
  input: number,
  channels: number,
  width: number,
  light: number,
  grey: number,
  roots: number,
  f: number,
) => void;

/**
 * L*a*b* recombination at full size: chroma enlarged from the grid, out of gamut chroma reduced
 * along its hue (`reference`: RGB clipped, as upstream), lightness kept.
 */
export function createRecombiner(kit: RecombineKit, options: RecombineOptions): Recombiner {
  const { grid, widthPx, heightPx, inChannels, inDepth, outDepth } = options;
  const layout = createLayout();
  const inBytes = inDepth / 8;
  const at = {
    gamut: layout.take(kit.gamut),
    roots: layout.take(kit.roots),
    light: layout.take(codeTable(inDepth, linearFromSrgb)),
    grey: layout.take(codeTable(inDepth, (code) => fFromLight(linearFromSrgb(code)))),
    curve: layout.take(outputCurve(outDepth)),
    grid: layout.take(grid.planes),
    gridRow: layout.reserve(4 * planeCount(grid.upsampling) * grid.widthPx),
    guide: layout.reserve(4 * (widthPx + PADDING)),
    finishing: layout.reserve(4 * (options.finishingRows * widthPx + PADDING)),
    input: layout.reserve(options.inRows * widthPx * inChannels * inBytes),
    output: layout.reserve((options.outSamples + PADDING * options.outChannels) * (outDepth / 8)),
    ...segmentTables(layout, segmentsOf(widthPx, grid.widthPx, grid.upsampling)),
    row: layout.reserve(64),
  };
  const memory = layout.build();
  const kernel = new wasm.Instance(kit.module, { env: { memory } })
    .exports as unknown as KernelExports;
  const lightness = inDepth === 16 ? kernel.lightness16 : kernel.lightness8;
  const rowArguments = new Int32Array(memory.buffer, at.row, 16);
  const readRow = (row: number, to: number) =>
    lightness(
      at.input + row * widthPx * inChannels * inBytes,
      inChannels,
      widthPx,
      at.light,
      at.grey,
      at.roots,
      to,
    );
  const finishingRow = (i: number) => at.finishing + 4 * i * widthPx;

  return {
    input: new Uint8Array(memory.buffer, at.input, options.inRows * widthPx * inChannels * inBytes),
    output: new Uint8Array(memory.buffer, at.output, options.outSamples * (outDepth / 8)),
    finishing: new Float32Array(memory.buffer, at.finishing, options.finishingRows * widthPx),
    readLightness: (row, to) => readRow(row, finishingRow(to)),
    combine(y, row, outOffset, finished) {
      readRow(row, at.guide);
      const { cell, phase } = gridPosition(y, heightPx, grid.heightPx, grid.upsampling);
      const below = Math.min(cell + 1, grid.heightPx - 1);
      const size = grid.widthPx * grid.heightPx;
      const planes = planeCount(grid.upsampling);
      kernel.grid_row(at.grid, planes, size, grid.widthPx, cell, below, phase, at.gridRow);
      rowArguments.set([
        finished === undefined ? at.guide : finishingRow(finished),
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
        grid.upsampling === 'reference' ? 0 : at.gamut,
        at.curve,
        at.output + outOffset * (outDepth / 8),
      ]);
      kernel.combine(at.row);
    },
  };
}

function segmentTables(layout: Layout, segments: ReturnType<typeof segmentsOf>) {
  return {
    start: layout.take(segments.start),
    cell: layout.take(segments.cell),
    phase: layout.take(segments.phase),
    step: layout.take(segments.step),
    count: segments.cell.length,
  };
}

function codeTable(depth: BitDepth, of: (code: number) => number): Float32Array {
  const last = 2 ** depth - 1;
  return Float32Array.from({ length: last + 1 }, (_, i) => of(i / last));
}

/** 8 bit: the code of each step, rounded. 16 bit: codes to interpolate, plus a half to round by. */
function outputCurve(depth: BitDepth): Uint8Array | Float32Array {
  const curve = (i: number) => srgbFromLinear(Math.min(1, i / CURVE_STEPS));
  return depth === 8
    ? Uint8Array.from({ length: CURVE_STEPS + 2 }, (_, i) => Math.round(255 * curve(i)))
    : Float32Array.from({ length: CURVE_STEPS + 2 }, (_, i) => 65_535 * curve(i) + 0.5);
}

type Layout = ReturnType<typeof createLayout>;

/** Places tables and buffers one after another, aligned to vectors, then makes the memory. */
function createLayout() {
  let end = RESERVED_BYTES;
  const tables: { at: number; data: ArrayLike<number> & ArrayBufferView }[] = [];
  const reserve = (bytes: number): number => {
    const at = end;
    end = at + ((bytes + 15) & ~15);
    return at;
  };
  return {
    reserve,
    take(data: ArrayLike<number> & ArrayBufferView): number {
      const at = reserve(data.byteLength);
      tables.push({ at, data });
      return at;
    },
    build(): WasmMemory {
      const memory = new wasm.Memory({ initial: Math.ceil(end / PAGE_BYTES) });
      for (const { at, data } of tables)
        new Uint8Array(memory.buffer, at, data.byteLength).set(
          new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        );
      return memory;
    },
  };
}
