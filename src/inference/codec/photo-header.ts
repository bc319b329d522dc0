import sharp from 'sharp';
import {
  PhotoFileTooLarge,
  PhotoFormatUnsupported,
  PhotoTooLarge,
  PhotoTooSmall,
  PhotoUnreadable,
} from '../../studio/errors/index.js';
import type { PhotoInfo, ResultNote } from '../../studio/ports/colorizer.js';
import { kindOf, type SniffedFormat } from './formats.js';
import { identifyFile } from './identify-file.js';
import { translateReadError } from './translate-error.js';
import { workingProfile } from './working-profile.js';

/** The bounds of `limits.photo` that apply to a file on this machine. */
export interface PhotoLimits {
  readonly megapixels: number;
  readonly fileBytes: number;
  readonly shortEdgePx: number;
  readonly longEdgePx: number;
}

/** What the header says, checked against the limits; no pixel has been decoded. */
export interface PhotoHeader {
  readonly info: PhotoInfo;
  readonly hasAlpha: boolean;
  readonly hasProfile: boolean;
  /** Of an RGB working space other than sRGB; a full-size result is written in it. */
  readonly workingProfile?: Uint8Array;
  /** libvips' name of the stored colour space: srgb, b-w, cmyk, rgb16, grey16, lab... */
  readonly space: string;
  /** Pixels as stored, before the orientation is applied. */
  readonly pixels: number;
}

/**
 * @throws {PhotoUnreadable | PhotoFormatUnsupported | PhotoTooLarge | PhotoTooSmall |
 * PhotoFileTooLarge}
 */
export async function readPhotoHeader(file: string, limits: PhotoLimits): Promise<PhotoHeader> {
  const format = await checkFile(file, limits);
  const metadata = await readMetadata(file);
  const { width, height } = metadata.autoOrient;
  checkSize(width, height, limits);
  const bitDepth = bitDepthOf(metadata.depth, format);
  const pages = metadata.pages ?? 1;
  return {
    info: {
      widthPx: width,
      heightPx: height,
      format,
      bitDepth,
      channels: metadata.channels,
      pages,
      densityDpi: densityOf(metadata),
      notes: notesOf(pages),
    },
    hasAlpha: metadata.hasAlpha,
    hasProfile: metadata.hasProfile,
    workingProfile: workingProfile(metadata.icc),
    space: metadata.space,
    pixels: width * height,
  };
}

async function checkFile(file: string, limits: PhotoLimits): Promise<SniffedFormat> {
  const { format, bytes } = await identifyFile(file);
  if (bytes === 0) throw new PhotoUnreadable('the file is empty', undefined, 'empty');
  if (bytes > limits.fileBytes) throw new PhotoFileTooLarge(bytes, limits.fileBytes);
  if (format === undefined) {
    throw new PhotoUnreadable('it is not a picture file we know', undefined, 'notPicture');
  }
  const { name, readable, refusal } = kindOf(format);
  if (!readable) throw new PhotoFormatUnsupported(name, refusal);
  return format;
}

async function readMetadata(file: string): Promise<sharp.Metadata> {
  try {
    // Any size may be asked for here: only the header is read, and the check below decides.
    return await sharp(file, { limitInputPixels: false, limitInputChannels: false }).metadata();
  } catch (error) {
    throw translateReadError(error);
  }
}

function checkSize(widthPx: number, heightPx: number, limits: PhotoLimits): void {
  if (!(widthPx > 0 && heightPx > 0)) throw new PhotoUnreadable('the header names no size');
  const megapixels = (widthPx * heightPx) / 1e6;
  if (megapixels > limits.megapixels || Math.max(widthPx, heightPx) > limits.longEdgePx)
    throw new PhotoTooLarge(Math.ceil(megapixels), limits.megapixels);
  if (Math.min(widthPx, heightPx) < limits.shortEdgePx)
    throw new PhotoTooSmall(widthPx, heightPx, limits.shortEdgePx);
}

/** Scientific TIFFs hold floats and signed numbers with no agreed black and white. */
function bitDepthOf(depth: string, format: SniffedFormat): 8 | 16 {
  if (depth === 'uchar') return 8;
  if (depth === 'ushort') return 16;
  throw new PhotoFormatUnsupported(`${format.toUpperCase()} (${depth})`);
}

/** libvips reports 72 where a file says nothing; a density below that is a mistake of the writer. */
function densityOf(metadata: sharp.Metadata): number | undefined {
  const density = metadata.density;
  return density !== undefined && density > 0 && density < 100_000 ? density : undefined;
}

function notesOf(pages: number): ResultNote[] {
  return pages > 1 ? [{ key: 'photo.note.firstPage', params: { pages } }] : [];
}
