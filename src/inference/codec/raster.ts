import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { PhotoUnreadable } from '../../studio/errors/index.js';

/**
 * Uncompressed pixels in a temporary file, in libvips' own .v layout: a 64-byte header, then
 * interleaved rows without padding. libvips streams such files in and out, threads read and write
 * any rows of them, and a 100 MP scan never has to be in memory.
 * @see libvips, "The vips file format": vips2vips, vips__read_header_bytes
 */
export interface RasterShape {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. */
  readonly channels: number;
  readonly bitDepth: 8 | 16;
}

export const RASTER_HEADER_BYTES = 64;
/** Magic number of files whose numbers are in this machine's order (little endian). */
const MAGIC = Buffer.from('b6a6f208', 'hex');
const FORMATS = { 8: 0, 16: 2 } as const;
/** VipsInterpretation of grey and of RGB. */
const INTERPRETATIONS = { 8: [1, 22], 16: [26, 25] } as const;

export const rowBytes = ({ widthPx, channels, bitDepth }: RasterShape): number =>
  widthPx * channels * (bitDepth / 8);

/** Rows of a raster file, by number. Synchronous: for worker threads. */
export interface RasterFile {
  readonly shape: RasterShape;
  /** Rows y .. y + count - 1 into the start of `into`. */
  readRows(y: number, count: number, into: Uint8Array): void;
  writeRows(y: number, count: number, from: Uint8Array): void;
  close(): void;
}

export function openRaster(path: string, mode: 'r' | 'r+'): RasterFile {
  const fd = openSync(path, mode);
  const shape = readShape(fd);
  const bytes = rowBytes(shape);
  const offsetOf = (y: number) => RASTER_HEADER_BYTES + y * bytes;
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

/**
 * Header, trailer and, in between, a hole for the pixels.
 * @param iccProfile what libvips attaches to the picture without converting it.
 */
export function createRaster(path: string, shape: RasterShape, iccProfile: Uint8Array): void {
  const fd = openSync(path, 'wx');
  try {
    writeSync(fd, headerOf(shape), 0, RASTER_HEADER_BYTES, 0);
    const end = RASTER_HEADER_BYTES + shape.heightPx * rowBytes(shape);
    writeSync(fd, trailerOf(iccProfile), end);
  } finally {
    closeSync(fd);
  }
}

function headerOf(shape: RasterShape): Buffer {
  const header = Buffer.alloc(RASTER_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeInt32LE(shape.widthPx, 4);
  header.writeInt32LE(shape.heightPx, 8);
  header.writeInt32LE(shape.channels, 12);
  header.writeInt32LE(shape.bitDepth, 16);
  header.writeInt32LE(FORMATS[shape.bitDepth], 20);
  header.writeInt32LE(INTERPRETATIONS[shape.bitDepth][shape.channels < 3 ? 0 : 1], 28);
  return header;
}

function trailerOf(iccProfile: Uint8Array): string {
  const base64 = Buffer.from(iccProfile).toString('base64');
  const profile = base64 && `<field type="VipsBlob" name="icc-profile-data">${base64}</field>`;
  return `<?xml version="1.0"?>\n<root xmlns="http://www.vips.ecs.soton.ac.uk/vips/8.18"><header></header><meta>${profile}</meta></root>\n`;
}

function readShape(fd: number): RasterShape {
  const header = Buffer.alloc(RASTER_HEADER_BYTES);
  readSync(fd, header, 0, RASTER_HEADER_BYTES, 0);
  if (!header.subarray(0, 4).equals(MAGIC) || endianness() !== 'LE')
    throw new PhotoUnreadable('the decoded picture has an unknown layout');
  return {
    widthPx: header.readInt32LE(4),
    heightPx: header.readInt32LE(8),
    channels: header.readInt32LE(12),
    bitDepth: header.readInt32LE(20) === FORMATS[16] ? 16 : 8,
  };
}
