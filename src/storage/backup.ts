import { execFile } from 'node:child_process';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DatabaseAway, DiskUnavailable } from '../studio/errors/index.js';
import type { DatabaseConfig } from './database.js';
import { translateDatabaseError } from './database-errors.js';
import { openSqliteFile } from './sqlite-dialect.js';

const run = promisify(execFile);

/**
 * A consistent copy of the database while the shop is open: for SQLite a database file, for
 * PostgreSQL what pg_dump makes (custom format, for pg_restore). It appears only when complete.
 * @returns bytes.
 * @throws {DiskUnavailable | DatabaseAway}
 */
export async function backupDatabase(config: DatabaseConfig, file: string): Promise<number> {
  const partial = `${file}.part`;
  await rm(partial, { force: true });
  try {
    // Customers' data: for nobody else's eyes. Both tools write into an empty file.
    await writeFile(partial, '', { mode: 0o600 });
    if (config.url === undefined) copySqlite(config.file, partial);
    else await dumpPostgres(config.url, partial);
    await rename(partial, file);
    return (await stat(file)).size;
  } catch (error) {
    await rm(partial, { force: true });
    throw translateDatabaseError(error);
  }
}

function copySqlite(from: string, to: string): void {
  const database = openSqliteFile(from, true);
  try {
    database.prepare('vacuum into ?').run(to);
  } finally {
    database.close();
  }
}

/** The address goes through the environment: arguments can be read by every user of the box. */
async function dumpPostgres(url: string, to: string): Promise<void> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const env = {
    PATH: systemPath,
    PGHOST: hostname,
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGSSLMODE: searchParams.get('sslmode') ?? 'prefer',
  };
  try {
    await run('pg_dump', ['--format=custom', '--file', to], { env });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') {
      throw new DiskUnavailable('backup', 'pg_dump is missing: install postgresql-client', error);
    }
    throw new DatabaseAway(new Error(stderr.slice(0, 500)));
  }
}

const systemPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';
