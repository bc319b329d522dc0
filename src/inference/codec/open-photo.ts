import sharp from 'sharp';
import { type PhotoHeader, pictureOption } from './photo-header.js';

/** What the pixels should be like. */
export interface OpenOptions {
  /** Never more pixels than this, whatever the header claimed a moment ago. */
  readonly limitPixels: number;
  /** Alpha is kept as a last band; otherwise it is laid on white. */
  readonly keepAlpha: boolean;
  /** Bits per sample of what comes out. */
  readonly bitDepth: 8 | 16;
}

/**
 * A decoding pipeline: the chosen picture, upright, sRGB (or grey where the photo has no colour to read),
 * cut-short files refused, unless it is known what they lack. The caller adds size and destination.
 */
export function openPhoto(file: string, header: PhotoHeader, options: OpenOptions): sharp.Sharp {
  const { damaged } = header;
  const pipeline = sharp(damaged?.usable ?? file, {
    autoOrient: true,
    // What is known to be missing is filled up with grey.
    failOn: damaged ? 'none' : 'error',
    limitInputPixels: options.limitPixels,
    page: 0,
    pages: 1,
    ...pictureOption(header),
    sequentialRead: true,
  });
  if (header.hasExtra) pipeline.removeAlpha();
  else if (header.hasAlpha && !options.keepAlpha) pipeline.flatten({ background: 'white' });
  if (options.bitDepth === 8) return pipeline.toColourspace(isGrey(header) ? 'b-w' : 'srgb');
  // With a profile, 16-bit pixels arrive as Display P3 (colour) or as stored (grey): on to sRGB.
  if (header.hasProfile) pipeline.withIccProfile('srgb');
  return pipeline.toColourspace(header.space === 'grey16' ? 'grey16' : 'rgb16');
}

/** Decoded to one band: stored without colour, and no profile that says what its grey means. */
export function isGrey({ space, hasProfile }: PhotoHeader): boolean {
  return (space === 'grey16' || space === 'b-w') && !hasProfile;
}
