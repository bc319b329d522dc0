import { createWriteStream, existsSync, readdirSync } from 'node:fs';
import { copyFile, cp, link, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { hashFile } from '../../inference/models/disk.js';
import { backupDatabase } from '../../storage/backup.js';
import type { DatabaseConfig } from '../../storage/database.js';
import { onDisk } from '../../storage/on-disk.js';
import { BlobMissing, systemCodeOf } from '../../studio/errors/index.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import { entryNames, keptFolders, type Manifest } from './contents.js';

/** What a backup is made from. */
export interface BackupSource {
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  readonly blobs: Blobs;
  /** Whether the photos travel, or only their names. */
  readonly photos: Manifest['photos'];
  /** The operator's settings file, if there is one. */
  readonly settings?: string;
  readonly version: string;
  readonly nowMs: number;
}

/** What an archive holds. */
export interface BackupFacts {
  readonly bytes: number;
  readonly photos: number;
}

/**
 * One archive of everything that must survive, written while the studio is open. The database is
 * copied first, so that every photo it knows is in the archive or was deleted meanwhile. It appears
 * under its name only when it is whole, readable by its owner only.
 * @param onPhotos told how many photos have been added so far.
 * @throws {DiskUnavailable | DatabaseAway}
 */
export async function writeBackup(
  source: BackupSource,
  file: string,
  signal: AbortSignal,
  onPhotos: (count: number) => void,
): Promise<BackupFacts> {
  const partial = `${file}.part`;
  const { dataDir } = source;
  const scratch = await onDisk(dataDir, async () => {
    await mkdir(path.join(dataDir, 'tmp'), { recursive: true, mode: 0o700 });
    return mkdtemp(path.join(dataDir, 'tmp', 'backup-'));
  });
  try {
    const copy = path.join(scratch, 'database');
    await backupDatabase(source.database, copy);
    const zip = new ZipFile();
    zip.on('error', (error) => (zip.outputStream as Readable).destroy(error as Error));
    const manifest = JSON.stringify(await manifestOf(source, copy), null, 2);
    zip.addBuffer(Buffer.from(manifest), entryNames.manifest);
    zip.addFile(copy, source.database.url === undefined ? entryNames.sqlite : entryNames.postgres);
    if (source.settings) zip.addFile(source.settings, entryNames.settings);
    for (const name of keptFolders) await addFolder(zip, dataDir, name, scratch);
    const photos = await addPhotos(zip, source, scratch, signal, onPhotos);
    zip.end();
    await onDisk(path.dirname(file), () =>
      pipeline(zip.outputStream, createWriteStream(partial, { mode: 0o600 }), { signal }),
    );
    await rename(partial, file);
    return { bytes: (await stat(file)).size, photos };
  } finally {
    await rm(partial, { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

async function manifestOf(source: BackupSource, copy: string): Promise<Manifest> {
  const { version, nowMs, database, photos } = source;
  return {
    databaseSha256: await hashFile(copy),
    ...{ format: 1, version, createdAt: new Date(nowMs).toISOString() },
    ...{ database: database.url === undefined ? 'sqlite' : 'postgres', photos },
  };
}

/** Copied first: the studio is open and may write to what is being read. */
async function addFolder(zip: ZipFile, dataDir: string, name: string, scratch: string) {
  const folder = path.join(dataDir, name);
  if (!existsSync(folder)) return;
  const copy = path.join(scratch, name);
  await cp(folder, copy, { recursive: true });
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = path.join(entry.parentPath, entry.name);
    zip.addFile(found, path.relative(scratch, found).split(path.sep).join('/'));
  }
}

async function addPhotos(
  zip: ZipFile,
  { blobs, photos }: BackupSource,
  scratch: string,
  signal: AbortSignal,
  onPhotos: (count: number) => void,
): Promise<number> {
  const lines: string[] = [];
  for await (const { key, bytes } of blobs.list()) {
    signal.throwIfAborted();
    lines.push(`${key} ${bytes}`);
    if (photos === 'included') {
      const kept = await keep(blobs, key, path.join(scratch, `photo-${lines.length}`));
      // Pictures are compressed already.
      if (kept) zip.addFile(kept, `blobs/${key}`, { compress: false });
    }
    onPhotos(lines.length);
  }
  zip.addBuffer(Buffer.from(`${lines.join('\n')}\n`), entryNames.photoList);
  return lines.length;
}

/**
 * A second name for a photo's bytes, so that it can be read in peace when the studio deletes it.
 * @returns undefined when it was deleted since it was listed: the database will not ask for it.
 */
async function keep(blobs: Blobs, key: string, as: string): Promise<string | undefined> {
  try {
    const found = await blobs.localFile(key);
    // Not every file system has links.
    await link(found, as).catch(() => copyFile(found, as));
    return as;
  } catch (error) {
    if (error instanceof BlobMissing || systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
