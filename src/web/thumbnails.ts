import type { Blobs } from '../studio/ports/blobs.js';

/** Widths that a picture can be asked for in, px. */
export const thumbnailWidthsPx = [320, 640] as const;

/** A smaller copy of a picture of ours. */
export interface Thumbnails {
  /** @returns WebP, never wider than the picture itself. @throws {BlobMissing} */
  get(key: string, widthPx: number): Promise<Buffer>;
}

/** Some thousand thumbnails; a browser keeps its own as well. */
const keptBytes = 32_000_000;

/**
 * Thumbnails, kept in memory only: what is deleted leaves no copy on the disk. The label's metadata
 * comes along.
 */
export function createThumbnails(blobs: Pick<Blobs, 'localFile'>): Thumbnails {
  // The first is what was longest not asked for.
  const kept = new Map<string, Buffer>();
  const making = new Map<string, Promise<Buffer>>();
  let bytes = 0;

  async function make(key: string, widthPx: number): Promise<Buffer> {
    const file = await blobs.localFile(key);
    const { default: sharp } = await import('sharp');
    return sharp(file)
      .resize({ width: widthPx, withoutEnlargement: true })
      .keepXmp()
      .webp({ quality: 78, effort: 2 })
      .toBuffer();
  }

  function keep(name: string, picture: Buffer): void {
    kept.set(name, picture);
    bytes += picture.length;
    for (const [oldest, { length }] of kept) {
      if (bytes <= keptBytes) return;
      kept.delete(oldest);
      bytes -= length;
    }
  }

  return {
    async get(key, widthPx) {
      const name = `${widthPx} ${key}`;
      const known = kept.get(name);
      if (known) {
        kept.delete(name);
        kept.set(name, known);
        return known;
      }
      const running = making.get(name);
      if (running) return running;
      const work = make(key, widthPx);
      making.set(name, work);
      try {
        const picture = await work;
        keep(name, picture);
        return picture;
      } finally {
        making.delete(name);
      }
    },
  };
}
