import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeToRaster } from '../codec/decode.js';
import { isGrey } from '../codec/open-photo.js';
import type { PhotoHeader } from '../codec/photo-header.js';
import { RASTER_HEADER_BYTES, type RasterShape, rowBytes } from '../codec/raster.js';
import { createScratch } from '../codec/scratch-folder.js';
import { LUMINANCE, linearFromSrgb, srgbFromLinear } from '../color/lab.js';

/** Size of the samples, px, and how large the photo may be. */
export interface PointSampleOptions {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly limitPixels: number;
  readonly tempDir?: string;
}

/**
 * The photo's grey at a small size exactly as DDColor's own preprocessing makes it: RGB resized
 * as `cv2.resize(..., INTER_LINEAR)`, that is bilinear between the four nearest pixels and without
 * antialiasing, then luminance. Decodes the whole photo; for parity, not for speed.
 * @returns sRGB grey 0..1, [heightPx, widthPx].
 */
export async function pointSample(
  file: string,
  header: PhotoHeader,
  options: PointSampleOptions,
): Promise<Float32Array> {
  const folder = await createScratch(options.tempDir ?? tmpdir()).create();
  try {
    const raster = path.join(folder, 'photo.v');
    const { widthPx, heightPx, bitDepth } = header.info;
    const { limitPixels } = options;
    await decodeToRaster(file, header, raster, {
      widthPx,
      heightPx,
      bitDepth,
      limitPixels,
      keepAlpha: false,
    });
    const channels = isGrey(header) ? 1 : 3;
    return await sampleRaster(raster, { widthPx, heightPx, channels, bitDepth }, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sampleRaster(
  raster: string,
  shape: RasterShape,
  { widthPx, heightPx }: PointSampleOptions,
): Promise<Float32Array> {
  const out = new Float32Array(widthPx * heightPx);
  const bytes = rowBytes(shape);
  const lines = Buffer.alloc(2 * bytes);
  const read = sampleReader(lines, shape);
  const handle = await open(raster, 'r');
  try {
    // One row at a time, so that the caller's event loop gets its turn in between.
    for (let y = 0; y < heightPx; y++) {
      const row = position(y, heightPx, shape.heightPx);
      const offset = RASTER_HEADER_BYTES + row.first * bytes;
      await handle.read(lines, 0, (row.second - row.first + 1) * bytes, offset);
      const below = row.second - row.first;
      for (let x = 0; x < widthPx; x++) {
        const column = position(x, widthPx, shape.widthPx);
        const between = (channel: number) => {
          const at = (line: number, i: number) => read(line, i, channel);
          const upper = mix(at(0, column.first), at(0, column.second), column.share);
          const lower = mix(at(below, column.first), at(below, column.second), column.share);
          return mix(upper, lower, row.share);
        };
        out[y * widthPx + x] = grey(between, shape.channels);
      }
    }
  } finally {
    await handle.close();
  }
  return out;
}

/** Centres meet: (i + 0.5) * scale - 0.5, held at the borders. */
function position(i: number, size: number, from: number) {
  const at = Math.min(Math.max(((i + 0.5) * from) / size - 0.5, 0), from - 1);
  const first = Math.floor(at);
  return { first, second: Math.min(first + 1, from - 1), share: at - first };
}

const mix = (a: number, b: number, share: number) => a + (b - a) * share;

function grey(channel: (i: number) => number, channels: number): number {
  if (channels === 1) return channel(0);
  const light = LUMINANCE.reduce((sum, share, i) => sum + share * linearFromSrgb(channel(i)), 0);
  return srgbFromLinear(light);
}

/** Samples 0..1 of the two lines held in `lines`. */
function sampleReader(lines: Buffer, { widthPx, channels, bitDepth }: RasterShape) {
  const samples =
    bitDepth === 16 ? new Uint16Array(lines.buffer, lines.byteOffset, lines.length / 2) : lines;
  const top = 2 ** bitDepth - 1;
  return (line: number, x: number, channel: number) =>
    samples[(line * widthPx + x) * channels + channel]! / top;
}
