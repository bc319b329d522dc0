import { createGamutTable } from './gamut.js';
import { createKernelMemory, createLayout } from './kernel-memory.js';
import { fFromLight } from './lab.js';
import { recombineWasm } from './recombine-wasm.js';
import { type WasmMemory, wasm } from './wasm.js';

/** Steps of Y in the table of roots; as in recombine.c. */
export const ROOT_STEPS = 16_384;

/** Exports of recombine.c; numbers that are not sizes are offsets into its memory. */
interface Kernel {
  readonly lightness8: Lightness;
  readonly lightness16: Lightness;
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
  guided_grid(
    f: number,
    u: number,
    v: number,
    width: number,
    height: number,
    epsilon: number,
    planes: number,
    scratch: number,
  ): void;
}
type Lightness = (
  input: number,
  channels: number,
  width: number,
  red: number,
  green: number,
  blue: number,
  grey: number,
  roots: number,
  f: number,
) => void;

/** Compiled code, memory and tables of one thread, kept from picture to picture. */
export interface RecombineKit {
  readonly kernel: Kernel;
  readonly memory: WasmMemory;
  readonly gamut: number;
  readonly roots: number;
  /** First byte that pictures may use. */
  readonly free: number;
}

/** The compiled kernel with its memory and tables: once per thread. */
export function createRecombineKit(): RecombineKit {
  const memory = createKernelMemory();
  const module = new wasm.Module(Buffer.from(recombineWasm, 'base64'));
  const instance = new wasm.Instance(module, { env: { memory } });
  const layout = createLayout(memory);
  const roots = Float32Array.from({ length: ROOT_STEPS + 2 }, (_, i) => fFromLight(i / ROOT_STEPS));
  const at = {
    gamut: layout.take(Float32Array.from(createGamutTable())),
    roots: layout.take(roots),
  };
  layout.write();
  return { kernel: instance.exports as Kernel, memory, ...at, free: layout.end() };
}
