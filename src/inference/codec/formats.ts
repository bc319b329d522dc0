import type { Refusal } from '../../studio/errors/index.js';
import type { ImageFormat } from '../../studio/ports/colorizer.js';

/** What we do with a kind of file. */
export interface FormatKind {
  /** As people call it; `raw` and `video` are said in words. */
  readonly name: string;
  readonly readable: boolean;
  /** Why it is refused, where that is not only a matter of the format: a message of its own. */
  readonly refusal?: Refusal;
}

const readable = (name: string) => ({ name, readable: true }) as const;
const picture = (name: string) => ({ name, readable: false }) as const;
const raw = (name: string) => ({ name, readable: false, refusal: 'raw' }) as const;

/** Every format that a file's first bytes can say; the only list of them. */
const KINDS = {
  jpeg: readable('JPEG'),
  png: readable('PNG'),
  webp: readable('WebP'),
  tiff: readable('TIFF'),
  avif: readable('AVIF'),
  gif: readable('GIF'),
  heic: picture('HEIC'),
  bmp: picture('BMP'),
  jxl: picture('JPEG XL'),
  jp2: picture('JPEG 2000'),
  jxr: picture('JPEG XR'),
  psd: picture('PSD'),
  xcf: picture('XCF'),
  exr: picture('OpenEXR'),
  hdr: picture('Radiance HDR'),
  dds: picture('DDS'),
  pnm: picture('PNM'),
  pcx: picture('PCX'),
  ico: picture('ICO'),
  svg: picture('SVG'),
  pdf: { name: 'PDF', readable: false, refusal: 'document' },
  djvu: { name: 'DjVu', readable: false, refusal: 'document' },
  video: { name: 'video', readable: false, refusal: 'video' },
  dng: raw('DNG'),
  cr2: raw('CR2'),
  cr3: raw('CR3'),
  crw: raw('CRW'),
  nef: raw('NEF'),
  arw: raw('ARW'),
  raf: raw('RAF'),
  orf: raw('ORF'),
  rw2: raw('RW2'),
  pef: raw('PEF'),
  srw: raw('SRW'),
  x3f: raw('X3F'),
  mrw: raw('MRW'),
  raw: raw('raw'),
} as const satisfies Record<string, FormatKind>;

/** What a file's first bytes say it is. */
export type SniffedFormat = keyof typeof KINDS;

/** What we do with files of a format. */
export const kindOf = (format: SniffedFormat): FormatKind => KINDS[format];

/** Whether the engine decodes it. */
export const isReadable = (format: SniffedFormat): boolean => KINDS[format].readable;

/** Format of what we write for an input format that was not asked to change. */
export function defaultOutputFormat(input: string): ImageFormat {
  switch (input) {
    case 'png':
    case 'webp':
    case 'tiff':
    case 'avif':
      return input;
    case 'gif':
      return 'png';
    default:
      return 'jpeg';
  }
}

/** Whether a format has transparency. */
export const holdsAlpha = (format: ImageFormat): boolean => format !== 'jpeg';
/** Whether a format has 16 bits per sample. */
export const holds16Bit = (format: ImageFormat): boolean => format === 'png' || format === 'tiff';

/** First bytes and where they stand; the first that fits counts. */
const SIGNATURES: readonly (readonly [SniffedFormat, string, number?])[] = [
  ['jpeg', '\xff\xd8\xff'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
  ['crw', 'HEAPCCDR', 6],
  ['cr2', 'CR\x02', 8],
  ['orf', 'IIRO'],
  ['orf', 'IIRS'],
  ['orf', 'MMOR'],
  ['rw2', 'IIU\0'],
  ['raf', 'FUJIFILMCCD-RAW'],
  ['x3f', 'FOVb'],
  ['mrw', '\0MRM'],
  ['jxr', 'II\xbc\x01'],
  ['tiff', 'II*\0'],
  ['tiff', 'MM\0*'],
  ['tiff', 'II+\0'],
  ['tiff', 'MM\0+'],
  ['jxl', '\xff\x0a'],
  ['jxl', '\0\0\0\x0cJXL '],
  ['jp2', 'jP  ', 4],
  ['jp2', '\xff\x4f\xff\x51'],
  ['psd', '8BPS'],
  ['pdf', '%PDF'],
  ['djvu', 'AT&TFORM'],
  ['xcf', 'gimp xcf'],
  ['exr', '\x76\x2f\x31\x01'],
  ['hdr', '#?RADIANCE'],
  ['hdr', '#?RGBE'],
  ['dds', 'DDS '],
  ['ico', '\0\0\x01\0'],
  ['video', '\x1aE\xdf\xa3'],
  ['video', '\0\0\x01\xba'],
  ['video', '\0\0\x01\xb3'],
  ['video', 'FLV\x01'],
];

/** How much of a file tells its format, and what else stands at the beginning. */
export const HEAD_BYTES = 4096;

/**
 * Decides from the content, never from the name, and before any decoder sees the file: what is not
 * a photograph format never reaches one.
 * @param head the first bytes; HEAD_BYTES are enough.
 * @returns undefined where the bytes say nothing we know.
 */
export function sniffFormat(head: Uint8Array): SniffedFormat | undefined {
  const text = latin1(head.subarray(0, 512));
  const at = (wanted: string, offset = 0) => text.startsWith(wanted, offset);
  for (const [format, signature, offset] of SIGNATURES) if (at(signature, offset)) return format;
  if (at('RIFF')) return at('WEBP', 8) ? 'webp' : at('AVI ', 8) ? 'video' : undefined;
  if (at('ftyp', 4)) return brandOf(text.slice(8, 64));
  if (isBmp(head)) return 'bmp';
  // Portable any map: a digit that names the kind, then white space and the size.
  if (/^P[1-7]\s+(?:#[^\n]*\n\s*)*(?:\d+\s|WIDTH)/.test(text)) return 'pnm';
  if (head[0] === 10 && head[1]! < 6 && head[2] === 1 && [1, 2, 4, 8].includes(head[3]!))
    return 'pcx';
  // Much else is XML: sidecars, pages, settings.
  if (
    /^(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg|!DOCTYPE svg|!--)/i.test(text) &&
    /<(?:!DOCTYPE )?svg/i.test(text)
  )
    return 'svg';
  return undefined;
}

function brandOf(brands: string): SniffedFormat {
  if (/avi[fs]/.test(brands)) return 'avif';
  if (brands.startsWith('crx ')) return 'cr3';
  return /hei[cxms]|hev[cmxs]|mif1|msf1/.test(brands) ? 'heic' : 'video';
}

/** Two letters begin many texts; a bitmap's reserved words are 0 and its header's size is known. */
function isBmp(head: Uint8Array): boolean {
  if (head[0] !== 0x42 || head[1] !== 0x4d) return false;
  if (head.length < 18) return false;
  return head.subarray(6, 10).every((byte) => byte === 0) && head[15] === 0;
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
