import sharp from 'sharp';
import {
  PhotoFileTooLarge,
  PhotoFormatUnsupported,
  PhotoTooLarge,
  PhotoTooSmall,
  PhotoUnreadable,
} from '../../studio/errors/index.js';
import type { PhotoInfo, ResultNote } from '../../studio/ports/colorizer.js';
import { type Candidate, type ChosenPicture, choosePicture } from './choose-picture.js';
import { kindOf, type SniffedFormat } from './formats.js';
import { type FileIdentity, identifyFile } from './identify-file.js';
import { type Damaged, damageNote, damageOf } from './photo-damage.js';
import { resolutionOf } from './resolution.js';
import { translateReadError } from './translate-error.js';
import { isLab, unreadPacking } from './unread-tiff.js';
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
  /** Which of the file's pictures; `subifd` of a TIFF, -1: the page itself. */
  readonly page: number;
  readonly subifd: number;
  readonly hasAlpha: boolean;
  /** Samples beyond the colours that are no transparency (infrared of film scanners). */
  readonly hasExtra: boolean;
  readonly hasProfile: boolean;
  /** Of an RGB working space other than sRGB; a full-size result is written in it. */
  readonly workingProfile?: Uint8Array;
  /** Damaged: decoded as far as it goes, from these bytes where the rest of the file is useless. */
  readonly damaged?: Damaged;
  /** libvips' name of the stored colour space: srgb, b-w, cmyk, rgb16, grey16, lab... */
  readonly space: string;
  /** Pixels as stored, before the orientation is applied. */
  readonly pixels: number;
}

/** Pictures of one file that are looked at; more is no photograph. */
const MAX_PICTURES = 32;

/**
 * @throws {PhotoUnreadable | PhotoFormatUnsupported | PhotoTooLarge | PhotoTooSmall |
 * PhotoFileTooLarge}
 */
export async function readPhotoHeader(file: string, limits: PhotoLimits): Promise<PhotoHeader> {
  const { format, directories, head, bytes } = await checkFile(file, limits);
  const picture = await findPicture(file, format, directories);
  const directory = directories.find(
    ({ page, subifd }) => page === picture.page && subifd === picture.subifd,
  );
  const packing = directory && unreadPacking(directory);
  if (packing) throw new PhotoFormatUnsupported(`TIFF (${packing})`);
  const metadata = await readMetadata(file, picture).catch((error: unknown) => {
    if (directory && isLab(directory)) throw new PhotoFormatUnsupported('TIFF (CIELab)');
    throw error;
  });
  const { width, height } = metadata.autoOrient;
  checkSize(width, height, limits);
  const damaged = format === 'jpeg' ? await damageOf(file, bytes) : undefined;
  const upright = (metadata.orientation ?? 1) === 1;
  const hasExtra = directory !== undefined && metadata.hasAlpha && !directory.hasAlpha;
  const notes: ResultNote[] = [...picture.notes];
  if (hasExtra) notes.push({ key: 'photo.note.extraChannel' });
  if (damaged) notes.push(damageNote(damaged.damage));
  const resolution = await resolutionOf({
    ...{ directory, head, exif: metadata.exif, density: metadata.density },
    sideways: (metadata.orientation ?? 1) >= 5,
  });
  return {
    info: {
      widthPx: width,
      heightPx: height,
      format,
      bitDepth: bitDepthOf(metadata.depth, format),
      channels: metadata.channels,
      pages: metadata.pages ?? 1,
      densityDpi: resolution?.x,
      densityDownDpi: resolution?.y,
      damage: damaged?.damage,
      notes,
    },
    page: picture.page,
    subifd: picture.subifd,
    hasAlpha: metadata.hasAlpha && !hasExtra,
    hasExtra,
    // Rows that are stored upright; of others nobody knows what lies below.
    damaged: damaged && { ...damaged, emptyFrom: upright ? damaged.emptyFrom : 1 },
    hasProfile: metadata.hasProfile,
    workingProfile: workingProfile(metadata.icc),
    space: metadata.space,
    pixels: width * height,
  };
}

async function checkFile(
  file: string,
  limits: PhotoLimits,
): Promise<FileIdentity & { format: SniffedFormat }> {
  const identity = await identifyFile(file);
  const { format, bytes } = identity;
  if (bytes === 0) throw new PhotoUnreadable('the file is empty', undefined, 'empty');
  if (bytes > limits.fileBytes) throw new PhotoFileTooLarge(bytes, limits.fileBytes);
  if (format === undefined) {
    throw new PhotoUnreadable('it is not a picture file we know', undefined, 'notPicture');
  }
  const { name, readable, refusal } = kindOf(format);
  if (!readable) throw new PhotoFormatUnsupported(name, refusal);
  return { ...identity, format };
}

async function findPicture(
  file: string,
  format: SniffedFormat,
  directories: FileIdentity['directories'],
): Promise<ChosenPicture> {
  if (directories.length > 0)
    return choosePicture(directories, directories.filter(({ subifd }) => subifd < 0).length);
  const single = format === 'jpeg' || format === 'png';
  const { pages = 1 } = single ? {} : await readMetadata(file);
  const same = { page: 0, subifd: -1, widthPx: 1, heightPx: 1 };
  // Frames of an animation are all of one size.
  if (pages === 1 || format !== 'avif') return choosePicture([same], pages);
  const candidates: Candidate[] = [];
  for (let page = 0; page < Math.min(pages, MAX_PICTURES); page++) {
    const { width, height } = await readMetadata(file, { page, subifd: -1 });
    candidates.push({ page, subifd: -1, widthPx: width, heightPx: height });
  }
  return choosePicture(candidates, pages);
}

async function readMetadata(
  file: string,
  picture?: Pick<ChosenPicture, 'page' | 'subifd'>,
): Promise<sharp.Metadata> {
  try {
    // Any size may be asked for here: only the header is read, and the check below decides.
    const limits = { limitInputPixels: false, limitInputChannels: false } as const;
    return await sharp(file, { ...limits, ...pictureOption(picture) }).metadata();
  } catch (error) {
    throw translateReadError(error);
  }
}

/** How the decoder is told which picture it is. */
export function pictureOption(
  picture: Pick<ChosenPicture, 'page' | 'subifd'> | undefined,
): sharp.SharpOptions {
  if (!picture || (picture.page === 0 && picture.subifd < 0)) return {};
  const { page, subifd } = picture;
  return { page, ...(subifd < 0 ? {} : { tiff: { subifd } }) };
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
