import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { PhotoUnreadable } from '../../studio/errors/index.js';

/**
 * Uncompressed pixels in a temporary file: interleaved rows without padding. libvips streams such
 * files in and out, threads read and write any rows of them, and a 100 MP scan never has to be in
 * memory. What libvips decodes comes in its own .v layout, a 64-byte header and the pixels; what it
 * encodes from is a plain TIFF (tiff-raster.ts), because it maps a .v file into memory whole.
 */
export interface RasterShape {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. */
  readonly channels: number;
  readonly bitDepth: 8 | 16;
}

/** Where the pixels of a .v file begin. */
export const RASTER_HEADER_BYTES = 64;
/** Magic number of files whose numbers are in this machine's order (little endian). */
const MAGIC = Buffer.from('b6a6f208', 'hex');
const FORMAT_16_BIT = 2;

/** One row, bytes. */
export const rowBytes = ({ widthPx, channels, bitDepth }: RasterShape): number =>
  widthPx * channels * (bitDepth / 8);

/** Where the pixels of a raster file are. */
export interface RasterLayout {
  readonly shape: RasterShape;
  /** Offset of the first row, bytes. */
  readonly pixelsAt: number;
}

/** Rows of a raster file, by number. Synchronous: for worker threads. */
export interface RasterFile {
  readonly shape: RasterShape;
  /** Rows y .. y + count - 1 into the start of `into`. */
  readRows(y: number, count: number, into: Uint8Array): void;
  writeRows(y: number, count: number, from: Uint8Array): void;
  close(): void;
}

/** @param layout absent: a .v file, whose header says it. */
export function openRaster(path: string, mode: 'r' | 'r+', layout?: RasterLayout): RasterFile {
  const fd = openSync(path, mode);
  const { shape, pixelsAt } = layout ?? {
    shape: readVipsHeader(fd),
    pixelsAt: RASTER_HEADER_BYTES,
  };
  const bytes = rowBytes(shape);
  const offsetOf = (y: number) => pixelsAt + y * bytes;
  return {
    shape,
    readRows(y, count, into) {
      let done = 0;
      while (done < count * bytes) {
        const read = readSync(fd, into, done, count * bytes - done, offsetOf(y) + done);
        if (read === 0) throw new PhotoUnreadable('the decoded picture ends early');
        done += read;
      }
    },
    writeRows(y, count, from) {
      let done = 0;
      while (done < count * bytes)
        done += writeSync(fd, from, done, count * bytes - done, offsetOf(y) + done);
    },
    close: () => closeSync(fd),
  };
}

/** @see libvips, "The vips file format": vips__read_header_bytes */
function readVipsHeader(fd: number): RasterShape {
  const header = Buffer.alloc(RASTER_HEADER_BYTES);
  readSync(fd, header, 0, RASTER_HEADER_BYTES, 0);
  if (!header.subarray(0, 4).equals(MAGIC) || endianness() !== 'LE')
    throw new PhotoUnreadable('the decoded picture has an unknown layout');
  return {
    widthPx: header.readInt32LE(4),
    heightPx: header.readInt32LE(8),
    channels: header.readInt32LE(12),
    bitDepth: header.readInt32LE(20) === FORMAT_16_BIT ? 16 : 8,
  };
}
