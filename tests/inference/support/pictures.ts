import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { labFromSrgb } from '../../../src/inference/color/lab.js';
import type { ChromaPlane } from '../../../src/studio/chroma-plane.js';
import type { RenderOptions } from '../../../src/studio/ports/colorizer.js';

export const photos = path.resolve(__dirname, '../../fixtures/photos');
export const astronaut = path.join(photos, 'astronaut.jpg');

export const label = { producer: 'huancai-test', produceId: 'photo-1' };
export const plain: RenderOptions = { label, format: 'png' };

/** A folder that is removed after the tests of the file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'huancai-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Small deterministic random numbers, 0..1. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A grey scene, 0..255: gradients, edges, a disc and a little grain. */
export function scene(widthPx: number, heightPx: number, seed = 7): Uint8Array {
  const random = randomNumbers(seed);
  const out = new Uint8Array(widthPx * heightPx);
  for (let y = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++) {
      const u = x / widthPx;
      const v = y / heightPx;
      let value = 30 + 190 * u * (0.4 + 0.6 * v);
      if (Math.hypot(u - 0.3, v - 0.4) < 0.18) value = 205 - 90 * v;
      if (u > 0.62 && u < 0.8 && v > 0.3) value = 45 + 40 * v;
      out[y * widthPx + x] = Math.max(0, Math.min(255, value + 6 * (random() - 0.5)));
    }
  return out;
}

/** The scene as a file of any format. */
export async function writeScene(
  file: string,
  widthPx: number,
  heightPx: number,
  change: (image: sharp.Sharp) => sharp.Sharp = (image) => image,
): Promise<string> {
  const raw = { width: widthPx, height: heightPx, channels: 1 } as const;
  await change(sharp(scene(widthPx, heightPx), { raw })).toFile(file);
  return file;
}

/** Moderate colours that vary smoothly over the picture. */
export function smoothPlane(widthPx: number, heightPx: number, reach = 30): ChromaPlane {
  const count = widthPx * heightPx;
  const ab = new Float32Array(2 * count);
  for (let y = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++) {
      const i = y * widthPx + x;
      ab[i] = reach * Math.sin((5 * x) / widthPx + 1);
      ab[count + i] = reach * Math.cos((4 * y) / heightPx + (2 * x) / widthPx);
    }
  return { widthPx, heightPx, ab };
}

export interface LabPicture {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly l: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Pixels as L*a*b*, without alpha, upright, by the exact formula. */
export async function readLab(file: string | Buffer): Promise<LabPicture> {
  const { data, info } = await sharp(file, { autoOrient: true, ignoreIcc: true })
    .removeAlpha()
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const { width: widthPx, height: heightPx, channels } = info;
  const count = widthPx * heightPx;
  const [l, a, b] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const at = i * channels;
    const [red, green, blue] = [0, 1, 2].map(
      (c) => samples[at + (channels < 3 ? 0 : c)]! / 65_535,
    ) as [number, number, number];
    [l[i], a[i], b[i]] = labFromSrgb(red, green, blue);
  }
  return { widthPx, heightPx, l, a, b };
}

export function meanDifference(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

/** An uncompressed 16-bit greyscale TIFF, as film scanners write them. */
export function greyTiff16(
  widthPx: number,
  heightPx: number,
  samples: Uint16Array,
  profile: Uint8Array = new Uint8Array(),
): Buffer {
  const pixels = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const entries: [tag: number, type: 3 | 4 | 7, value: number, count?: number][] = [
    [256, 4, widthPx],
    [257, 4, heightPx],
    [258, 3, 16],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, heightPx],
    [279, 4, pixels.length],
  ];
  if (profile.length > 0) entries.push([34_675, 7, 8 + pixels.length, profile.length]);
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  directory.writeUInt16LE(entries.length, 0);
  for (const [i, [tag, type, value, count = 1]] of entries.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(type, 4 + 12 * i);
    directory.writeUInt32LE(count, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  }
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(8 + pixels.length + profile.length, 4);
  return Buffer.concat([head, pixels, profile, directory]);
}

/** A minimal ICC profile for grey with a plain gamma (version 2.1, D50). */
export function greyProfile(gamma: number): Buffer {
  const s15 = (x: number) => Math.round(x * 65_536);
  const white = Buffer.alloc(20);
  white.write('XYZ ', 0);
  for (const [i, x] of [0.9642, 1, 0.8249].entries()) white.writeInt32BE(s15(x), 8 + 4 * i);
  const curve = Buffer.alloc(16);
  curve.write('curv', 0);
  curve.writeUInt32BE(1, 8);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const name = Buffer.alloc(108);
  name.write('desc', 0);
  name.writeUInt32BE(5, 8);
  name.write('grey', 12);
  const right = Buffer.from('text\0\0\0\0none\0\0\0\0', 'latin1');
  const tags = { desc: name, wtpt: white, kTRC: curve, cprt: right };
  const table = Buffer.alloc(4 + 12 * 4);
  table.writeUInt32BE(4, 0);
  let offset = 128 + table.length;
  for (const [i, [tag, body]] of Object.entries(tags).entries()) {
    table.write(tag, 4 + 12 * i);
    table.writeUInt32BE(offset, 8 + 12 * i);
    table.writeUInt32BE(body.length, 12 + 12 * i);
    offset += body.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset, 0);
  header.writeUInt32BE(0x02100000, 8);
  header.write('mntrGRAYXYZ ', 12);
  header.write('acsp', 36);
  for (const [i, x] of [0.9642, 1, 0.8249].entries()) header.writeInt32BE(s15(x), 68 + 4 * i);
  return Buffer.concat([header, table, ...Object.values(tags)]);
}
