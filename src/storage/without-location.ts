import { crc32 } from 'node:zlib';
import { hiddenText, isPng, pngChunks } from './png-text.js';

const gpsTag = 0x8825;
const entryBytes = 12;
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
/** More entries than any camera writes: a damaged table is not walked for ever. */
const entriesMax = 512;

/**
 * Where a photo was taken is not kept, not even for whoever sent it: a link or a screen is easily
 * shared. Everything else of the file stays as it was, byte for byte.
 * @param file JPEG, PNG, WebP, TIFF or AVIF; changed in place.
 * @returns whether a location was removed.
 */
export function removeLocation(file: Buffer): boolean {
  let removed = false;
  for (const start of tiffHeaders(file)) removed = clearGps(file, start) || removed;
  removed = clearXmp(file) || removed;
  removed = clearHiddenText(file) || removed;
  if (removed) mendPngChecksums(file);
  return removed;
}

/** Starts of TIFF structures: a TIFF file itself, and EXIF blocks by their marks. */
function* tiffHeaders(file: Buffer): Generator<number> {
  if (isTiff(file, 0)) yield 0;
  // AVIF may keep the structure without a mark before it.
  if (file.subarray(4, 8).toString('latin1') === 'ftyp') {
    for (const head of ['II*\0', 'MM\0*'])
      for (let at = file.indexOf(head); at >= 0; at = file.indexOf(head, at + 1)) yield at;
  }
  for (const mark of ['Exif\0\0', 'eXIf', 'EXIF']) {
    const bytes = Buffer.from(mark, 'latin1');
    for (let at = file.indexOf(bytes); at >= 0; at = file.indexOf(bytes, at + 1)) {
      // Right behind the mark, or behind a chunk's length (WebP).
      for (const start of [at + bytes.length, at + bytes.length + 4])
        if (isTiff(file, start)) yield start;
    }
  }
}

function isTiff(file: Buffer, at: number): boolean {
  const head = file.subarray(at, at + 4).toString('latin1');
  return head === 'II*\0' || head === 'MM\0*';
}

/** Walk the first directory, empty the GPS directory it points to. */
function clearGps(file: Buffer, start: number): boolean {
  const little = file[start] === 0x49;
  const u16 = (at: number) =>
    at + 2 <= file.length ? (little ? file.readUInt16LE(at) : file.readUInt16BE(at)) : 0;
  const u32 = (at: number) =>
    at + 4 <= file.length ? (little ? file.readUInt32LE(at) : file.readUInt32BE(at)) : 0;
  const directory = start + u32(start + 4);
  const count = Math.min(u16(directory), entriesMax);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + i * entryBytes;
    if (u16(entry) !== gpsTag) continue;
    const gps = start + u32(entry + 8);
    const entries = Math.min(u16(gps), entriesMax);
    for (let k = 0; k < entries; k++) {
      const at = gps + 2 + k * entryBytes;
      const bytes = (typeBytes[u16(at + 2)] ?? 0) * u32(at + 4);
      if (bytes > 4 && bytes < 65_536) zero(file, start + u32(at + 8), bytes);
      zero(file, at, entryBytes);
    }
    zero(file, gps, 2);
    return entries > 0;
  }
  return false;
}

function zero(file: Buffer, at: number, bytes: number): void {
  if (at >= 0 && at < file.length) file.fill(0, at, Math.min(file.length, at + bytes));
}

/** XMP says it in words: exif:GPSLatitude="31,13.5N" or the same as elements. */
function clearXmp(file: Buffer): boolean {
  let removed = false;
  const end = Buffer.from('</x:xmpmeta>');
  for (let at = file.indexOf('<x:xmpmeta'); at >= 0; at = file.indexOf('<x:xmpmeta', at + 1)) {
    const stop = file.indexOf(end, at);
    const until = stop < 0 ? Math.min(file.length, at + 1_000_000) : stop;
    const text = file.subarray(at, until).toString('latin1');
    const blank = text
      .replace(/exif:GPS\w+\s*=\s*(["'])[^"']*\1/g, (found) => ' '.repeat(found.length))
      .replace(/<exif:GPS(\w+)>[^<]*<\/exif:GPS\1>/g, (found) => ' '.repeat(found.length));
    if (blank === text) continue;
    file.write(blank, at, 'latin1');
    removed = true;
  }
  return removed;
}

/** Private, ancillary, safe to copy: readers of PNG pass over it. */
const emptyChunk = 'hcEm';

/** A packed text that names the place is given up whole: it cannot be changed where it lies. */
function clearHiddenText(file: Buffer): boolean {
  if (!isPng(file)) return false;
  let removed = false;
  for (const chunk of pngChunks(file)) {
    const text = hiddenText(file, chunk);
    if (text === undefined) continue;
    const places = [...tiffHeaders(text)].map((start) => clearGps(text, start));
    if (!places.includes(true) && !clearXmp(text)) continue;
    file.write(emptyChunk, chunk.typeAt, 'latin1');
    file.fill(0, chunk.dataAt, chunk.end);
    removed = true;
  }
  return removed;
}

/** A changed chunk of a PNG needs its checksum anew. */
function mendPngChecksums(file: Buffer): void {
  if (!isPng(file)) return;
  for (const { type, typeAt, end } of pngChunks(file))
    if (['eXIf', 'iTXt', emptyChunk].includes(type))
      file.writeUInt32BE(crc32(file.subarray(typeAt, end)), end);
}
