import sharp from 'sharp';
import type { ImageFormat } from '../../studio/ports/colorizer.js';
import { copyPngWithXmp } from './png-xmp.js';
import type { Resolution } from './resolution.js';
import { ASSUMED_DPI } from './tiff-raster.js';

const MM_PER_INCH = 25.4;

/** How a picture is written. */
export interface EncodeOptions {
  readonly format: ImageFormat;
  /** 1..100, lossy formats. */
  readonly quality: number;
  readonly bitDepth: 8 | 16;
  /** Dots per inch. Default: 72. */
  readonly resolution?: Resolution;
  /** File with the profile of the working space to write in. Default: sRGB. */
  readonly profileFile?: string;
  /** XMP packet; the only metadata besides density and colour profile that leaves. */
  readonly xmp: string;
}

/** Longest edge each format can hold, px. */
export const MAX_EDGE_PX: Readonly<Record<ImageFormat, number>> = {
  jpeg: 65_500,
  png: 65_535,
  webp: 16_383,
  avif: 16_384,
  tiff: 65_535,
};

/** Encodes a TIFF raster; libvips reads it in strips. @param output must not exist yet for PNG. */
export async function encodeRaster(
  raster: string,
  output: string,
  options: EncodeOptions,
): Promise<void> {
  const pipeline = sharp(raster, { limitInputPixels: false, sequentialRead: true });
  pipeline.toColourspace(options.bitDepth === 16 ? 'rgb16' : 'srgb');
  const { quality, resolution, profileFile } = options;
  if (profileFile === undefined) pipeline.keepIccProfile();
  else pipeline.withIccProfile(profileFile);
  // An EXIF block with the resolution and nothing else; without one readers take 72.
  if (resolution && !isAssumed(resolution)) pipeline.withExif({ IFD0: exifOf(resolution) });
  switch (options.format) {
    case 'png': {
      const bare = `${raster}.png`;
      await pipeline.png({ compressionLevel: 6, palette: false }).toFile(bare);
      return copyPngWithXmp(bare, output, options.xmp);
    }
    case 'jpeg':
      // Coding tables made for the picture save 3 % of the file, take twice as long as all the rest
      // of the encoding and hold the whole picture in memory.
      pipeline.jpeg({ quality, optimiseCoding: false });
      break;
    case 'webp':
      pipeline.webp({ quality });
      break;
    case 'avif':
      pipeline.avif({ quality, effort: 3 });
      break;
    case 'tiff':
      pipeline.tiff({ compression: 'lzw', predictor: 'horizontal', ...tiffResolution(resolution) });
      break;
  }
  await pipeline.withXmp(options.xmp).toFile(output);
}

/** sharp takes none from the raster; its own default would be 25.4 dpi. */
function tiffResolution({ x, y }: Resolution = { x: ASSUMED_DPI, y: ASSUMED_DPI }) {
  return { xres: x / MM_PER_INCH, yres: y / MM_PER_INCH, resolutionUnit: 'inch' } as const;
}

const isAssumed = ({ x, y }: Resolution) => x === ASSUMED_DPI && y === ASSUMED_DPI;

/** Unit 2 is the inch. */
const exifOf = ({ x, y }: Resolution) => ({
  XResolution: `${x}/1`,
  YResolution: `${y}/1`,
  ResolutionUnit: '2',
});
