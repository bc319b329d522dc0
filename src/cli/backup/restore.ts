import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { hashFile } from '../../inference/models/disk.js';
import { parseKey } from '../../storage/blob-keys.js';
import type { DatabaseConfig } from '../../storage/database.js';
import { databaseIsEmpty, restoreDatabase } from '../../storage/restore.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import { BackupUnreadable, RestoreRefused } from '../errors.js';
import { entryNames, keptFolders, type Manifest } from './contents.js';
import { unpackBackup } from './read.js';

/** Where a backup goes. */
export interface RestoreTarget {
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  readonly blobs: Blobs;
  /** Where the operator's settings file belongs. */
  readonly settings: string;
  /** How the database is called in messages. */
  readonly where: string;
}

/** What was brought back. */
export interface RestoreFacts {
  readonly manifest: Manifest;
  readonly photos: number;
  /** Listed in the backup, and in neither it nor the place of photos. */
  readonly photosMissing: number;
  /** The settings file, when there was one. */
  readonly settings?: string;
}

/**
 * Bring a backup back into an empty place. The database comes last: a restore that was cut off has
 * none, and is simply begun again.
 * @throws {BackupUnreadable | RestoreRefused | DiskUnavailable | DatabaseAway}
 */
export async function restoreBackup(
  file: string,
  target: RestoreTarget,
  signal: AbortSignal,
  onPhotos: (count: number) => void,
): Promise<RestoreFacts> {
  if (!(await databaseIsEmpty(target.database))) throw new RestoreRefused('used', target.where);
  const { dataDir, database } = target;
  await mkdir(path.join(dataDir, 'tmp'), { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(path.join(dataDir, 'tmp', 'restore-'));
  const inside = (name: string) => path.join(scratch, ...name.split('/'));
  try {
    const manifest = await unpackBackup(file, scratch, signal, onPhotos);
    if ((manifest.database === 'sqlite') !== (database.url === undefined)) {
      throw new RestoreRefused('otherDatabase', target.where);
    }
    const copy = inside(entryNames[manifest.database]);
    if (!existsSync(copy) || (await hashFile(copy)) !== manifest.databaseSha256) {
      throw new BackupUnreadable(file, 'damaged');
    }
    for (const name of keptFolders) {
      if (existsSync(inside(name))) {
        await cp(inside(name), path.join(dataDir, name), { recursive: true });
      }
    }
    const settings = await bringSettings(inside(entryNames.settings), target);
    const photos = await bringPhotos(inside(entryNames.photoList), inside('blobs'), target, signal);
    await restoreDatabase(database, copy);
    return { manifest, ...photos, ...(settings ? { settings } : {}) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A settings file that is there already stays; the old one is laid beside the data. */
async function bringSettings(from: string, target: RestoreTarget): Promise<string | undefined> {
  if (!existsSync(from)) return undefined;
  const taken = existsSync(target.settings);
  const to = taken ? path.join(target.dataDir, 'restored-settings.yaml') : target.settings;
  await cp(from, to);
  return to;
}

async function bringPhotos(
  list: string,
  folder: string,
  { blobs }: RestoreTarget,
  signal: AbortSignal,
): Promise<{ photos: number; photosMissing: number }> {
  let photos = 0;
  let photosMissing = 0;
  for (const line of (await readFile(list, 'utf8')).split('\n')) {
    const parsed = parseKey(line.split(' ')[0] ?? '');
    if (!parsed) continue;
    signal.throwIfAborted();
    const file = path.join(folder, parsed.kind, parsed.sha256);
    if (existsSync(file)) {
      await blobs.putFile(parsed.kind, file);
      photos += 1;
    } else if (!(await blobs.has(line.split(' ')[0]!))) photosMissing += 1;
  }
  return { photos, photosMissing };
}
