import { existsSync } from 'node:fs';
import path from 'node:path';
import { Cancelled } from '../../studio/errors/index.js';
import { operatorSettingsFile } from '../config.js';
import { OutputExists } from '../errors.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { openBlobs } from '../open-blobs.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { databaseConfigOf, describeDatabase } from '../studio/database.js';
import { audit } from '../studio/ledger.js';
import { version } from '../version.js';
import { restoreBackup } from './restore.js';
import { writeBackup } from './write.js';

/** Of `huancai db backup`. */
export interface BackupOptions extends GlobalOptions {
  readonly withoutPhotos?: boolean;
}

/** Photos between two notices. */
const noticeEvery = 1_000;

/** `huancai db backup`. */
export async function databaseBackup(name: string, options: BackupOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { config, output, t, now } = shell;
  const file = path.resolve(shell.cwd, name);
  if (existsSync(file)) throw new OutputExists(file);
  const { blobs, kind } = await openBlobs({ now }, config, 'studio');
  const settings = operatorSettingsFile(shell.env);
  const listed = kind === 's3' || options.withoutPhotos === true;
  const facts = await interruptible(shell, (signal, onPhotos) =>
    writeBackup(
      {
        ...{ dataDir: config.paths.dataDir, database: databaseConfigOf(shell), blobs },
        ...{ photos: listed ? 'listed' : 'included', version: version(), nowMs: now() },
        ...(existsSync(settings) ? { settings } : {}),
      },
      file,
      signal,
      onPhotos,
    ),
  );
  output.record({ type: 'backup', file, ...facts, photosIncluded: !listed });
  const params = { file, megabytes: (facts.bytes / 1e6).toFixed(1), photos: facts.photos };
  output.line(t(listed ? 'office.db.backedUpList' : 'office.db.backedUp', params));
  return exitCodes.done;
}

/** `huancai db restore`. @returns what `ledger audit` says of the restored books. */
export async function databaseRestore(name: string, options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { config, output, t, now } = shell;
  const database = databaseConfigOf(shell);
  const where = describeDatabase(database);
  const { blobs } = await openBlobs({ now }, config, 'studio');
  const facts = await interruptible(shell, (signal, onPhotos) =>
    restoreBackup(
      path.resolve(shell.cwd, name),
      {
        ...{ dataDir: config.paths.dataDir, database, blobs, where },
        settings: operatorSettingsFile(shell.env),
      },
      signal,
      onPhotos,
    ),
  );
  const { manifest, photos, photosMissing, settings } = facts;
  const made = { version: manifest.version, created: manifest.createdAt };
  output.record({ type: 'restored', where, ...made, photos, photosMissing, settings });
  output.line(t('office.db.restored', { where, ...made, photos }));
  if (settings) output.line(t('office.db.restoredSettings', { file: settings }));
  if (photosMissing > 0) output.line(t('office.db.photosElsewhere', { photos: photosMissing }));
  return audit(options);
}

/** Ctrl-C ends it and leaves nothing behind; long work says how far it is. */
async function interruptible<T>(
  { output, t }: Shell,
  work: (signal: AbortSignal, onPhotos: (count: number) => void) => Promise<T>,
): Promise<T> {
  const interrupt = listenForInterrupt(() => output.notice(t('cli.interrupted')));
  try {
    return await work(interrupt.signal, (count) => {
      if (count % noticeEvery === 0) output.notice(t('office.db.packing', { count }));
    });
  } catch (error) {
    throw interrupt.signal.aborted ? new Cancelled() : error;
  } finally {
    interrupt.close();
  }
}
