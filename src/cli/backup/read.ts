import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { onDisk } from '../../storage/on-disk.js';
import { systemCodeOf } from '../../studio/errors/index.js';
import { BackupUnreadable } from '../errors.js';
import { entryNames, type Manifest } from './contents.js';

const open = promisify<string, yauzl.Options, ZipFile>(yauzl.open);

/**
 * Unpack a backup into a folder of its own, checking every part: sizes and checksums by the archive,
 * photos by their names.
 * @param onPhotos told how many photos have been unpacked so far.
 * @throws {BackupUnreadable | DiskUnavailable}
 */
export async function unpackBackup(
  file: string,
  into: string,
  signal: AbortSignal,
  onPhotos: (count: number) => void,
): Promise<Manifest> {
  const zip = await open(file, { lazyEntries: true, autoClose: false }).catch((error) => {
    throw new BackupUnreadable(file, systemCodeOf(error) ?? 'noArchive', error);
  });
  try {
    let manifest: Manifest | undefined;
    let photos = 0;
    for await (const entry of entriesOf(zip)) {
      signal.throwIfAborted();
      if (entry.fileName.endsWith('/')) continue;
      if (!manifest) {
        manifest = await readManifest(zip, entry, file);
        continue;
      }
      const target = path.join(into, ...entry.fileName.split('/'));
      const sha256 = await onDisk(into, () => unpack(zip, entry, target, signal));
      if (!entry.fileName.startsWith('blobs/')) continue;
      if (path.basename(target) !== sha256) throw new BackupUnreadable(file, 'damaged');
      onPhotos(++photos);
    }
    if (!manifest) throw new BackupUnreadable(file, 'noArchive');
    return manifest;
  } catch (error) {
    throw asUnreadable(error, file);
  } finally {
    zip.close();
  }
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      zip
        .once('entry', resolve)
        .once('end', () => resolve(undefined))
        .once('error', reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (!entry) return;
    yield entry;
  }
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

async function readManifest(zip: ZipFile, entry: Entry, file: string): Promise<Manifest> {
  const ours = entry.fileName === entryNames.manifest && entry.uncompressedSize < 10_000;
  if (!ours) throw new BackupUnreadable(file, 'noArchive');
  const found = JSON.parse(await text(await openEntry(zip, entry))) as Manifest;
  // Written by a later program, in a way that this one does not know.
  if (found.format !== 1) throw new BackupUnreadable(file, 'newer');
  return found;
}

/** @returns sha256 of what was unpacked. */
async function unpack(zip: ZipFile, entry: Entry, target: string, signal: AbortSignal) {
  await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  await pipeline(
    await openEntry(zip, entry),
    async function* count(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(target, { flags: 'wx', mode: 0o600 }),
    { signal },
  );
  return hash.digest('hex');
}

/** yauzl's and zlib's complaints are plain errors about the archive. */
function asUnreadable(error: unknown, file: string): unknown {
  const plain = error instanceof Error && error.name === 'Error';
  const code = systemCodeOf(error);
  const zlib = code?.startsWith('Z_') ?? false;
  if ((plain && code === undefined) || zlib || error instanceof SyntaxError) {
    return new BackupUnreadable(file, 'damaged', error);
  }
  return error;
}
