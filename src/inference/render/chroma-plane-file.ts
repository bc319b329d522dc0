import { crc32 } from 'node:zlib';
import type { ChromaPlane } from '../../studio/chroma-plane.js';
import { PhotoUnreadable } from '../../studio/errors/index.js';
import { floatsToHalves, halvesToFloats, MAX_FLOAT16 } from '../float16.js';

/**
 * A chroma plane as bytes, little endian:
 * 0 "HCAB" | 4 version, u16 | 6 zero, u16 | 8 width, u32 | 12 height, u32 | 16 CRC-32 of the rest
 * | 20 a* then b*, float16. A 512 x 512 plane takes 1 MB; the rounding is below 0.07 of an a* unit.
 */
const MAGIC = 0x42414348;
const VERSION = 1;
const HEADER_BYTES = 20;
const MAX_EDGE_PX = 8192;

/** The bytes of a plane, which `decodeChromaPlane` reads again. */
export function encodeChromaPlane({ widthPx, heightPx, ab }: ChromaPlane): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + ab.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint32(8, widthPx, true);
  view.setUint32(12, heightPx, true);
  floatsToHalves(ab.map(storable)).forEach((half, i) => {
    view.setUint16(HEADER_BYTES + 2 * i, half, true);
  });
  view.setUint32(16, crc32(bytes.subarray(HEADER_BYTES)), true);
  return bytes;
}

/** The plane of such bytes. @throws {PhotoUnreadable} where the bytes are damaged, cut short or of a later version */
export function decodeChromaPlane(bytes: Uint8Array): ChromaPlane {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC)
    throw new PhotoUnreadable('these are not stored colours');
  const version = view.getUint16(4, true);
  if (version !== VERSION)
    throw new PhotoUnreadable(`the stored colours are of version ${version}, not ${VERSION}`);
  const widthPx = view.getUint32(8, true);
  const heightPx = view.getUint32(12, true);
  const sane = widthPx > 0 && heightPx > 0 && Math.max(widthPx, heightPx) <= MAX_EDGE_PX;
  if (!sane || bytes.length !== HEADER_BYTES + 4 * widthPx * heightPx)
    throw new PhotoUnreadable('the stored colours are cut short');
  if (crc32(bytes.subarray(HEADER_BYTES)) !== view.getUint32(16, true))
    throw new PhotoUnreadable('the stored colours are damaged');
  const halves = Uint16Array.from({ length: 2 * widthPx * heightPx }, (_, i) =>
    view.getUint16(HEADER_BYTES + 2 * i, true),
  );
  return { widthPx, heightPx, ab: halvesToFloats(halves) };
}

/** A network's slip must not paint a picture: NaN is grey, infinite the strongest colour. */
function storable(value: number): number {
  return Math.min(MAX_FLOAT16, Math.max(-MAX_FLOAT16, Number.isNaN(value) ? 0 : value));
}
