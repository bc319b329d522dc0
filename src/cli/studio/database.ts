import { existsSync } from 'node:fs';
import { type Database, type DatabaseConfig, openDatabase } from '../../storage/database.js';
import { translateDatabaseError } from '../../storage/database-errors.js';
import { migrate, migrationStatus } from '../../storage/migrate.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { placesOf } from '../places.js';
import type { Shell } from '../shell.js';
import { migrationNotice } from '../slow-notice.js';
import { version } from '../version.js';

/** `huancai db status`. @returns someFailed when steps are missing. */
export async function databaseStatus(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { output, t } = shell;
  const config = databaseConfigOf(shell);
  const where = describeDatabase(config);
  if (config.url === undefined && !existsSync(config.file)) {
    output.record({ type: 'database', where, exists: false });
    output.line(t('office.db.none', { where }));
    return exitCodes.done;
  }
  return withDatabase(config, async ({ raw, dialect }) => {
    const steps = await migrationStatus(raw);
    const missing = steps.filter((step) => step.appliedMs === undefined);
    output.record({ type: 'database', where, dialect, exists: true, missing: missing.length });
    output.line(where);
    for (const { name, appliedMs } of steps) {
      output.record({ type: 'step', name, appliedMs: appliedMs ?? null });
      output.line(
        `  ${name}  ${appliedMs ? new Date(appliedMs).toISOString() : t('office.db.missing')}`,
      );
    }
    if (missing.length > 0) output.line(t('office.db.behind', { steps: missing.length }));
    return missing.length > 0 ? exitCodes.someFailed : exitCodes.done;
  });
}

/** `huancai db migrate`. */
export async function databaseMigrate(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { output, t, now } = shell;
  return withDatabase(databaseConfigOf(shell), async ({ raw, dialect }) => {
    const applied = await migrate(
      ...([raw, dialect, now(), undefined, version()] as const),
      migrationNotice(shell),
    );
    output.record({ type: 'migrated', applied });
    const names = applied.join(', ');
    output.line(applied.length > 0 ? t('office.db.migrated', { names }) : t('office.db.current'));
    return exitCodes.done;
  });
}

/** The database that the settings name. */
export function databaseConfigOf({ config }: Shell): DatabaseConfig {
  const { url, connections } = config.database;
  return { file: placesOf(config).database, url: url ?? undefined, connections };
}

/** Its address without the password. */
export function describeDatabase({ url, file }: DatabaseConfig): string {
  if (url === undefined) return `SQLite ${file}`;
  const { hostname, port, pathname } = new URL(url);
  return `PostgreSQL ${hostname}:${port || 5432}${pathname}`;
}

async function withDatabase(
  config: DatabaseConfig,
  work: (database: Database) => Promise<ExitCode>,
): Promise<ExitCode> {
  const database = openDatabase(config);
  try {
    return await work(database);
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    await database.close();
  }
}
