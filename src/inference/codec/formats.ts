import type { ImageFormat } from '../../studio/ports/colorizer.js';

/** What a file's first bytes say it is; `undefined` where they say nothing we know. */
export type SniffedFormat =
  | 'jpeg'
  | 'png'
  | 'webp'
  | 'tiff'
  | 'avif'
  | 'gif'
  | 'heic'
  | 'bmp'
  | 'jxl'
  | 'jp2'
  | 'psd'
  | 'svg'
  | 'pdf'
  | 'video';

const READABLE: ReadonlySet<SniffedFormat> = new Set([
  'jpeg',
  'png',
  'webp',
  'tiff',
  'avif',
  'gif',
]);

export const isReadable = (format: SniffedFormat): boolean => READABLE.has(format);

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

export const holdsAlpha = (format: ImageFormat): boolean => format !== 'jpeg';
export const holds16Bit = (format: ImageFormat): boolean => format === 'png' || format === 'tiff';

/**
 * Decides from the content, never from the name, and before any decoder sees the file: what is not
 * a photograph format never reaches one.
 * @param head the first 64 bytes or more.
 */
export function sniffFormat(head: Uint8Array): SniffedFormat | undefined {
  const at = (text: string, offset = 0) =>
    [...text].every((c, i) => head[offset + i] === c.charCodeAt(0));
  if (at('\xff\xd8\xff')) return 'jpeg';
  if (at('\x89PNG\r\n\x1a\n')) return 'png';
  if (at('RIFF') && at('WEBP', 8)) return 'webp';
  if (at('II*\0') || at('MM\0*') || at('II+\0') || at('MM\0+')) return 'tiff';
  if (at('GIF87a') || at('GIF89a')) return 'gif';
  if (at('ftyp', 4)) return brandOf(String.fromCharCode(...head.subarray(8, 64)));
  if (at('BM')) return 'bmp';
  if (at('\xff\x0a') || at('JXL ', 4)) return 'jxl';
  if (at('jP  ', 4)) return 'jp2';
  if (at('8BPS')) return 'psd';
  if (at('%PDF')) return 'pdf';
  if (/^\s*(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg|!DOCTYPE svg|!--)/i.test(latin1(head))) return 'svg';
  return undefined;
}

function brandOf(brands: string): SniffedFormat {
  if (/avi[fs]/.test(brands)) return 'avif';
  return /hei[cxms]|hev[cmxs]|mif1|msf1/.test(brands) ? 'heic' : 'video';
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
