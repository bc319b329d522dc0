import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, open, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import path from 'node:path';
import { BlobMissing, systemCodeOf } from '../studio/errors/index.js';
import type { Clock } from '../studio/ports/basics.js';
import type { BlobKind, BlobRef, Blobs } from '../studio/ports/blobs.js';
import { keyOf, parseKey } from './blob-keys.js';
import { listBlobFiles } from './list-blob-files.js';
import { onDisk } from './on-disk.js';

/** Where blobs lie. */
export interface FileBlobsConfig {
  /** Made when needed, for the owner only. */
  readonly folder: string;
}

/**
 * Blobs as files `<folder>/<kind>/<first two digits>/<sha256>`. A file appears under its name only
 * when it is whole and on the disk; equal contents are one file. Processes may share the folder.
 */
export function createFileBlobs({ clock }: { clock: Clock }, config: FileBlobsConfig): Blobs {
  const incoming = path.join(config.folder, '.incoming');
  const fileOf = (kind: BlobKind, sha256: string) =>
    path.join(config.folder, kind, sha256.slice(0, 2), sha256);
  const locate = (key: string) => {
    const parsed = parseKey(key);
    return parsed && fileOf(parsed.kind, parsed.sha256);
  };

  /** A private place for a file under way. */
  async function place(): Promise<string> {
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    return path.join(incoming, randomUUID());
  }

  /** Give a whole file its name. `ready` is moved away in any case. */
  async function adopt(kind: BlobKind, ready: string, sha256: string, bytes: number) {
    const target = fileOf(kind, sha256);
    const now = new Date(clock.now());
    if (await exists(target)) {
      // Young again: the sweeper of orphans must not take what has just been put.
      await utimes(target, now, now);
      await rm(ready, { force: true });
    } else {
      await chmod(ready, 0o600);
      await syncFile(ready);
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await rename(ready, target);
      await syncFile(path.dirname(target));
    }
    return { key: keyOf(kind, sha256), sha256, bytes } satisfies BlobRef;
  }

  return {
    putFile: (kind, file) =>
      onDisk(config.folder, async () => {
        const { sha256, bytes } = await hashFile(file);
        const ready = await place();
        await move(file, ready);
        return adopt(kind, ready, sha256, bytes).catch((error) => discard(ready, error));
      }),

    putBytes: (kind, bytes) =>
      onDisk(config.folder, async () => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const ready = await place();
        const write = async () => {
          const handle = await open(ready, 'wx', 0o600);
          await handle.writeFile(bytes).finally(() => handle.close());
          return adopt(kind, ready, sha256, bytes.byteLength);
        };
        return write().catch((error) => discard(ready, error));
      }),

    localFile: async (key) => {
      const file = locate(key);
      if (!file || !(await exists(file))) throw new BlobMissing(key);
      return file;
    },

    has: async (key) => {
      const file = locate(key);
      return file !== undefined && exists(file);
    },

    delete: async (key) => {
      const file = locate(key);
      if (file) await onDisk(config.folder, () => rm(file, { force: true }));
    },

    list: () => listBlobFiles(config.folder, incoming, clock),

    freeBytes: () =>
      onDisk(config.folder, async () => {
        await mkdir(config.folder, { recursive: true, mode: 0o700 });
        const { bavail, bsize } = await statfs(config.folder);
        return bavail * bsize;
      }),
  };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function hashFile(file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Rename, or copy where the file comes from another disk. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCodeOf(error) !== 'EXDEV') throw error;
    await copyFile(from, to).catch((cause) => discard(to, cause));
    await rm(from, { force: true });
  }
}

async function discard(file: string, error: unknown): Promise<never> {
  await rm(file, { force: true }).catch(() => {});
  throw error;
}

/** Of a folder: the names in it. */
async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  await handle.sync().finally(() => handle.close());
}
