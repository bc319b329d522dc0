import { readTiffDirectories, type TiffDirectory } from './tiff-directory.js';

/** Dots per inch across and down; scanners of films and faxes have two. */
export interface Resolution {
  readonly x: number;
  readonly y: number;
}

const INCH_CM = 2.54;
const INCH_M = 0.0254;

/** What the file's parts say of it, as far as they are there. */
export interface ResolutionSources {
  readonly directory?: TiffDirectory;
  readonly exif?: Uint8Array;
  /** The first bytes. */
  readonly head: Buffer;
  /** What the decoder reports: one number for both. */
  readonly density?: number;
  /** The stored picture lies on its side: what was across is down. */
  readonly sideways: boolean;
}

/**
 * Dots per inch of the upright picture; undefined where the file says nothing. The decoder reports
 * one direction only, and nothing at all of a WebP.
 */
export async function resolutionOf(sources: ResolutionSources): Promise<Resolution | undefined> {
  const { directory, exif, head, density, sideways } = sources;
  const pair =
    directory?.resolution ??
    (exif && (await exifResolution(exif))) ??
    jfifResolution(head) ??
    pngResolution(head) ??
    (density === undefined ? undefined : { x: density, y: density });
  if (!pair || !isSane(pair.x) || !isSane(pair.y)) return undefined;
  const [x, y] = [Math.round(pair.x), Math.round(pair.y)];
  return sideways ? { x: y, y: x } : { x, y };
}

/** One dot per millimetre is what libvips writes where nothing is known; less is a mistake. */
const isSane = (dpi: number) => dpi > 25.5 && dpi < 100_000;

/** EXIF is a TIFF without pictures. */
async function exifResolution(exif: Uint8Array): Promise<Resolution | undefined> {
  const bytes = Buffer.from(exif.buffer, exif.byteOffset, exif.length);
  const tiff = bytes.subarray(bytes.toString('latin1', 0, 4) === 'Exif' ? 6 : 0);
  const [first] = await readTiffDirectories(async (at, count) => {
    if (at >= tiff.length) throw new RangeError('beyond the end');
    return Buffer.concat([tiff.subarray(at, at + count)], count);
  });
  return first?.resolution;
}

/** @see ITU-T T.871, 10.1: units 1 per inch, 2 per centimetre, 0 only a ratio */
function jfifResolution(head: Buffer): Resolution | undefined {
  if (head.length < 18 || head.toString('latin1', 6, 11) !== 'JFIF\0') return undefined;
  const scale = [0, 1, INCH_CM][head[13]!] ?? 0;
  if (scale === 0) return undefined;
  return { x: head.readUInt16BE(14) * scale, y: head.readUInt16BE(16) * scale };
}

/** @see PNG, 11.3.4.3: pHYs, unit 1 is the metre */
function pngResolution(head: Buffer): Resolution | undefined {
  if (head.toString('latin1', 1, 4) !== 'PNG') return undefined;
  const at = head.indexOf('pHYs', 0, 'latin1');
  if (at < 0 || at + 13 > head.length || head[at + 12] !== 1) return undefined;
  return { x: head.readUInt32BE(at + 4) * INCH_M, y: head.readUInt32BE(at + 8) * INCH_M };
}
