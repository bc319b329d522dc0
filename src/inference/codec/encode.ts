import sharp from 'sharp';
import type { ImageFormat } from '../../studio/ports/colorizer.js';
import { copyPngWithXmp } from './png-xmp.js';
import { ASSUMED_DPI } from './tiff-raster.js';

export interface EncodeOptions {
  readonly format: ImageFormat;
  /** 1..100, lossy formats. */
  readonly quality: number;
  readonly bitDepth: 8 | 16;
  /** Dots per inch. Default: 72. */
  readonly densityDpi?: number;
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
  const { quality, densityDpi = ASSUMED_DPI, profileFile } = options;
  if (profileFile === undefined) pipeline.keepIccProfile();
  else pipeline.withIccProfile(profileFile);
  // Adds an EXIF block with the resolution and nothing else. The raster says 72 itself.
  if (densityDpi !== ASSUMED_DPI) pipeline.withDensity(densityDpi);
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
      pipeline.tiff({ compression: 'lzw', predictor: 'horizontal', ...tiffResolution(densityDpi) });
      break;
  }
  await pipeline.withXmp(options.xmp).toFile(output);
}

/** sharp takes none from the raster; its own default would be 25.4 dpi. */
function tiffResolution(densityDpi: number) {
  const perMm = densityDpi / 25.4;
  return { xres: perMm, yres: perMm, resolutionUnit: 'inch' } as const;
}
