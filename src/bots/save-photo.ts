import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PhotoFileTooLarge } from '../studio/errors/index.js';
import { limits } from '../studio/limits.js';

/**
 * Write what a channel gives into a file that only we can read, flushed to the disk, and no more
 * than the studio takes.
 * @returns its size, bytes.
 * @throws {PhotoFileTooLarge} and whatever the source or the disk throws.
 */
export async function savePhoto(
  source: AsyncIterable<Uint8Array>,
  file: string,
  signal?: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const limit = limits.photo.uploadBytes;
  const counted = async function* (parts: AsyncIterable<Uint8Array>) {
    for await (const part of parts) {
      bytes += part.length;
      if (bytes > limit) throw new PhotoFileTooLarge(bytes, limit);
      yield part;
    }
  };
  await pipeline(source, counted, createWriteStream(file, { mode: 0o600, flush: true }), {
    ...(signal ? { signal } : {}),
  });
  return bytes;
}
