/**
 * Every bound of the product, with its unit. A limit that operators may change has its default
 * here and its setting in config/default.yaml.
 */
export const limits = {
  photo: {
    /** Decoded size. 600 dpi scans of 30 x 40 cm are about 67 MP; 120 leaves room. */
    megapixels: 120,
    /** Upload size. A 100 MP 16-bit RGB TIFF is 600 MB, but nobody sends one by chat. */
    uploadBytes: 100_000_000,
    /** File size on the command line, where the file is already here. */
    fileBytes: 2_000_000_000,
    shortEdgePx: 16,
    /** No edge longer than this, whatever the area: JPEG itself ends at 65,535. */
    longEdgePx: 65_500,
  },
  model: {
    /** Input sides are multiples of this. */
    stridePx: 32,
    minSizePx: 64,
    maxSizePx: 2048,
  },
  inference: {
    startTimeoutMs: 60_000,
    runTimeoutMs: 180_000,
    idleUnloadMs: 600_000,
  },
} as const;
