import { rename, rm, stat, writeFile } from 'node:fs/promises';
import type { DatabaseConfig } from './database.js';
import { translateDatabaseError } from './database-errors.js';
import { runPostgresTool } from './postgres-tools.js';
import { openSqliteFile } from './sqlite-dialect.js';

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
    else await runPostgresTool('pg_dump', ['--format=custom', '--file', partial], config.url);
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
