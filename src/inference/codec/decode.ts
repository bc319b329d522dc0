import sharp from 'sharp';
import { type OpenOptions, openPhoto } from './open-photo.js';
import type { PhotoHeader } from './photo-header.js';
import { createSmallCopies } from './small-copies.js';
import { translateReadError } from './translate-error.js';

/** How a photo becomes a raster. */
export interface DecodeOptions extends OpenOptions {
  /** Size of the raster; smaller than the photo means scaled down. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Decodes into an uncompressed raster file (raster.ts). libvips streams; memory stays small. */
export async function decodeToRaster(
  file: string,
  header: PhotoHeader,
  raster: string,
  options: DecodeOptions,
): Promise<void> {
  const { widthPx, heightPx } = header.info;
  const scaled = options.widthPx !== widthPx || options.heightPx !== heightPx;
  const pipeline = scaled
    ? await openForScaling(file, header, options)
    : openPhoto(file, header, options);
  if (scaled) pipeline.resize(options.widthPx, options.heightPx, { fit: 'fill' });
  try {
    await pipeline.toFile(raster);
  } catch (error) {
    throw translateReadError(error);
  }
}

/**
 * As openPhoto. Samples that are neither colour nor transparency go before the scaling, which would
 * take them for transparency and blacken what they call invisible; such files are decoded in memory.
 */
async function openForScaling(
  file: string,
  header: PhotoHeader,
  options: OpenOptions,
): Promise<sharp.Sharp> {
  const pipeline = openPhoto(file, header, options);
  if (!header.hasExtra) return pipeline;
  const deep = options.bitDepth === 16;
  try {
    const { data, info } = await pipeline
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return sharp(deep ? asWords(data) : data, {
      raw: { width, height, channels: channels as 1 | 3 },
      limitInputPixels: options.limitPixels,
    }).toColourspace(
      deep ? (channels === 1 ? 'grey16' : 'rgb16') : channels === 1 ? 'b-w' : 'srgb',
    );
  } catch (error) {
    throw translateReadError(error);
  }
}

/** Samples of a small copy, interleaved. */
export interface GreyPixels {
  readonly data: Uint8Array | Uint16Array;
  readonly channels: number;
  readonly bitDepth: 8 | 16;
}

/** How small, and the most pixels that may be decoded for it. */
export interface SmallSize {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly limitPixels: number;
}

const copies = createSmallCopies<GreyPixels>();

/**
 * The photo at a small size, without alpha, mean of the pixels under each one. The pixels are
 * shared with whoever asks for the same copy: read only.
 */
export function decodeSmall(
  file: string,
  header: PhotoHeader,
  size: SmallSize,
): Promise<GreyPixels> {
  const { bitDepth } = header.info;
  const options = { limitPixels: size.limitPixels, keepAlpha: false, bitDepth };
  return copies.of(file, JSON.stringify(size), async () =>
    shrink(await openForScaling(file, header, options), bitDepth, size),
  );
}

/** The same from a raster file. */
export function shrinkRaster(
  raster: string,
  bitDepth: 8 | 16,
  size: SmallSize,
): Promise<GreyPixels> {
  const { limitPixels } = size;
  const pipeline = sharp(raster, { limitInputPixels: limitPixels, ignoreIcc: true })
    .removeAlpha()
    .toColourspace(bitDepth === 16 ? 'rgb16' : 'srgb');
  return shrink(pipeline, bitDepth, size);
}

async function shrink(
  pipeline: sharp.Sharp,
  bitDepth: 8 | 16,
  { widthPx, heightPx }: SmallSize,
): Promise<GreyPixels> {
  try {
    const { data, info } = await pipeline
      .resize(widthPx, heightPx, { fit: 'fill', kernel: 'linear' })
      .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data: bitDepth === 16 ? asWords(data) : data, channels: info.channels, bitDepth };
  } catch (error) {
    throw translateReadError(error);
  }
}

function asWords(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}
