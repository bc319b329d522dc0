import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Cancelled, DiskUnavailable, StudioError } from '../../studio/errors/index.js';

/**
 * @param spareBytes left free for the rest of the machine.
 * @throws {DiskUnavailable} when so many more bytes do not fit.
 */
export async function checkSpace(
  dir: string,
  neededBytes: number,
  spareBytes = 64_000_000,
): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + spareBytes) return;
  const mega = (bytes: number) => Math.ceil(bytes / 1e6);
  throw new DiskUnavailable(
    dir,
    `${mega(neededBytes)} MB are needed in ${dir}, ${mega(freeBytes)} MB are free`,
  );
}

/** Write a small file so that it is there whole or not at all. @throws {DiskUnavailable} */
export async function writeWhole(file: string, text: string): Promise<void> {
  await onDisk(file, async () => {
    const partial = `${file}.${process.pid}.part`;
    const handle = await open(partial, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  });
}

/** sha256 of a file, lower-case hexadecimal. @throws {Cancelled} */
export async function hashFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    if (signal?.aborted) throw new Cancelled();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** Faults of the file system become `DiskUnavailable`; our own errors pass. */
export async function onDisk<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StudioError) throw error;
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (!code || !syscall) throw error;
    throw new DiskUnavailable(file, `${path.dirname(file)}: ${code}`, error);
  }
}
