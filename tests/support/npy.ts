import { readFileSync } from 'node:fs';

/** Read a little-endian float32 array in row-major order from a `.npy` file (version 1.0). */
export function readNpy(file: string): { shape: number[]; data: Float32Array<ArrayBuffer> } {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  if (!/'descr': '<f4', 'fortran_order': False/.test(header)) throw new Error(`${file}: ${header}`);
  const shape = [...header.match(/\(([^)]*)\)/)![1]!.matchAll(/\d+/g)].map((m) => Number(m[0]));
  const data = new Float32Array((bytes.length - start) / 4);
  new Uint8Array(data.buffer).set(bytes.subarray(start));
  return { shape, data };
}

/** Largest absolute difference. */
export function maxDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  return a.reduce((worst, value, i) => {
    const difference = Math.abs(value - b[i]!);
    return difference > worst || Number.isNaN(difference) ? difference : worst;
  }, 0);
}
