import { closeSync, openSync, writeSync } from 'node:fs';
import { type RasterLayout, type RasterShape, rowBytes } from './raster.js';
import type { Resolution } from './resolution.js';

/** Field types of TIFF 6.0. */
const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;
const UNDEFINED = 7;
/** What readers take where a picture says nothing; libvips would take 25.4. */
export const ASSUMED_DPI = 72;
/** libvips reads an uncompressed file strip by strip; small strips keep its memory small. */
const ROWS_PER_STRIP = 32;

interface Field {
  readonly tag: number;
  readonly type: typeof SHORT | typeof LONG | typeof RATIONAL | typeof UNDEFINED;
  readonly data: Buffer;
}

/**
 * An uncompressed TIFF without pixels: header, directory and, after them, a hole that threads fill
 * by row (openRaster with the layout returned).
 * @param iccProfile attached as it is; libvips passes it on, and the resolution (dots per inch).
 * @see TIFF 6.0; tag 34675 is the ICC profile
 */
export function createTiffRaster(
  path: string,
  shape: RasterShape,
  iccProfile: Uint8Array,
  resolution: Resolution = { x: ASSUMED_DPI, y: ASSUMED_DPI },
): RasterLayout {
  const draft = fieldsOf(shape, iccProfile, resolution, 0);
  const pixelsAt = headOf(draft).length;
  const fd = openSync(path, 'wx');
  try {
    writeSync(fd, headOf(fieldsOf(shape, iccProfile, resolution, pixelsAt)), 0, pixelsAt, 0);
    // The last byte makes the file as long as it will be.
    writeSync(fd, Buffer.alloc(1), 0, 1, pixelsAt + shape.heightPx * rowBytes(shape) - 1);
  } finally {
    closeSync(fd);
  }
  return { shape, pixelsAt };
}

function fieldsOf(
  shape: RasterShape,
  iccProfile: Uint8Array,
  resolution: Resolution,
  pixelsAt: number,
): Field[] {
  const { widthPx, heightPx, channels, bitDepth } = shape;
  const strips = Array.from({ length: Math.ceil(heightPx / ROWS_PER_STRIP) }, (_, i) => {
    const rows = Math.min(ROWS_PER_STRIP, heightPx - i * ROWS_PER_STRIP);
    const bytes = rowBytes(shape);
    return { at: pixelsAt + i * ROWS_PER_STRIP * bytes, bytes: rows * bytes };
  });
  return [
    longs(256, [widthPx]),
    longs(257, [heightPx]),
    shorts(258, Array(channels).fill(bitDepth)),
    shorts(259, [1]),
    shorts(262, [2]),
    longs(
      273,
      strips.map((strip) => strip.at),
    ),
    shorts(277, [channels]),
    longs(278, [ROWS_PER_STRIP]),
    longs(
      279,
      strips.map((strip) => strip.bytes),
    ),
    rational(282, resolution.x),
    rational(283, resolution.y),
    shorts(296, [2]),
    // A fourth sample is alpha, not multiplied in.
    ...(channels === 4 ? [shorts(338, [2])] : []),
    ...(iccProfile.length > 0
      ? [{ tag: 34_675, type: UNDEFINED, data: Buffer.from(iccProfile) } as const]
      : []),
  ];
}

function shorts(tag: number, values: readonly number[]): Field {
  return { tag, type: SHORT, data: Buffer.from(Uint16Array.from(values).buffer) };
}

function longs(tag: number, values: readonly number[]): Field {
  return { tag, type: LONG, data: Buffer.from(Uint32Array.from(values).buffer) };
}

function rational(tag: number, value: number): Field {
  return { tag, type: RATIONAL, data: Buffer.from(Uint32Array.of(value, 1).buffer) };
}

const BYTES = { [SHORT]: 2, [LONG]: 4, [RATIONAL]: 8, [UNDEFINED]: 1 } as const;

/** Header and directory; values longer than four bytes follow behind. */
function headOf(fields: readonly Field[]): Buffer {
  const directory = Buffer.alloc(8 + 2 + 12 * fields.length + 4);
  directory.write('II*\0', 0, 'latin1');
  directory.writeUInt32LE(8, 4);
  directory.writeUInt16LE(fields.length, 8);
  const behind: Buffer[] = [];
  let end = directory.length;
  for (const [i, { tag, type, data }] of fields.entries()) {
    const at = 10 + 12 * i;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(data.length / BYTES[type], at + 4);
    if (data.length <= 4) data.copy(directory, at + 8);
    else {
      directory.writeUInt32LE(end, at + 8);
      const padded = Buffer.alloc(data.length + (data.length % 2));
      data.copy(padded);
      behind.push(padded);
      end += padded.length;
    }
  }
  // Pixels begin on a boundary of their own size.
  return Buffer.concat([directory, ...behind], (end + 15) & ~15);
}
