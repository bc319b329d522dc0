/**
 * File systems keep names as bytes; old archives hold names in GBK, Big5 or Latin-1. Node reads them
 * as UTF-8 and cannot find them again. Here such a name is text all the same: every byte beyond
 * ASCII stands as one lone surrogate, which no real text has (as Python's surrogateescape does).
 */

/** First of 256 code units; only those of bytes 0x80 .. 0xff occur. */
const ESCAPE = 0xdc00;
const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/;

/** A name from a folder's bytes. */
export function nameFromBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return text;
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte)).join(
    '',
  );
}

/** Whether a path holds a name that is not UTF-8. */
export const isOdd = (path: string): boolean => LONE.test(path);

/** What the file system's functions take for a path: text where that says it. */
export function pathForSystem(path: string): string | Buffer {
  if (!isOdd(path)) return path;
  return Buffer.concat(path.split('').map(bytesOf));
}

/** Of single code units: those of a pair stay together. */
function bytesOf(unit: string, i: number, units: readonly string[]): Buffer {
  const code = unit.charCodeAt(0);
  if (LONE.test((units[i - 1] ?? '') + unit) && code >= ESCAPE) return Buffer.of(code - ESCAPE);
  const isLead = code >= 0xd800 && code <= 0xdbff;
  if (isLead) return Buffer.from(unit + (units[i + 1] ?? ''));
  const isTrail = code >= 0xdc00 && code <= 0xdfff;
  return isTrail ? Buffer.alloc(0) : Buffer.from(unit);
}

/**
 * A path that people can read and every program can open: odd names in the encoding that they most
 * likely are in. GBK, for most of our readers; a name that is not is taken for Western European.
 */
export function readablePath(path: string): string {
  if (!isOdd(path)) return path;
  return path.split('/').map(readableName).join('/');
}

function readableName(name: string): string {
  if (!isOdd(name)) return name;
  const bytes = pathForSystem(name) as Buffer;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  return decode(bytes).replace(/[\u0000-\u001f\u007f-\u009f/\\]/g, '_');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('gb18030', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
