import { inflateSync } from 'node:zlib';

/** More than any camera or editor writes; a bomb ends here. */
const TEXT_BYTES_MAX = 4_000_000;

/** A chunk of a PNG; offsets into the file. */
export interface PngChunk {
  readonly type: string;
  readonly typeAt: number;
  readonly dataAt: number;
  /** One past its data, where its checksum is. */
  readonly end: number;
}

/** Whether a file begins like a PNG. */
export const isPng = (file: Buffer): boolean => file.toString('latin1', 1, 4) === 'PNG';

/** The whole chunks of a PNG, in order. */
export function* pngChunks(file: Buffer): Generator<PngChunk> {
  for (let at = 8; at + 12 <= file.length; ) {
    const dataAt = at + 8;
    const end = dataAt + file.readUInt32BE(at);
    if (end + 4 > file.length) return;
    yield { type: file.toString('latin1', at + 4, dataAt), typeAt: at + 4, dataAt, end };
    at = end + 4;
  }
}

/**
 * What a text chunk holds that cannot be read in the file as it stands: compressed text, and EXIF or
 * XMP written in hexadecimal digits, as ImageMagick does.
 * @returns undefined for every other chunk, and for what cannot be unpacked.
 */
export function hiddenText(file: Buffer, { type, dataAt, end }: PngChunk): Buffer | undefined {
  const data = file.subarray(dataAt, end);
  const keywordEnd = data.indexOf(0);
  if (keywordEnd < 0) return undefined;
  const text = type === 'tEXt' ? data.subarray(keywordEnd + 1) : unpack(type, data, keywordEnd);
  if (text === undefined) return undefined;
  const keyword = data.toString('latin1', 0, keywordEnd);
  if (!keyword.startsWith('Raw profile type ')) return type === 'tEXt' ? undefined : text;
  // A line with the name, one with the number of bytes, then the digits.
  const digits = text.toString('latin1').replace(/^\s*\S+\s+\d+\s/, '');
  return Buffer.from(digits.replace(/\s+/g, ''), 'hex');
}

function unpack(type: string, data: Buffer, keywordEnd: number): Buffer | undefined {
  if (type === 'zTXt') return inflate(data.subarray(keywordEnd + 2));
  if (type !== 'iTXt' || data[keywordEnd + 1] !== 1) return undefined;
  const languageEnd = data.indexOf(0, keywordEnd + 3);
  const translatedEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
  return translatedEnd < 0 ? undefined : inflate(data.subarray(translatedEnd + 1));
}

function inflate(packed: Buffer): Buffer | undefined {
  try {
    return inflateSync(packed, { maxOutputLength: TEXT_BYTES_MAX });
  } catch {
    return undefined;
  }
}
