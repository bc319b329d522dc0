import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import { type DatabaseConfig, openDatabase } from './database.js';
import { translateDatabaseError } from './database-errors.js';
import { runPostgresTool } from './postgres-tools.js';

/**
 * Whether a database may be put here: no file, or a PostgreSQL database without tables.
 * @throws {DatabaseAway}
 */
export async function databaseIsEmpty(config: DatabaseConfig): Promise<boolean> {
  if (config.url === undefined) return !existsSync(config.file);
  const database = openDatabase(config);
  try {
    const { rows } = await sql<{ count: string }>`select count(*) as count
      from information_schema.tables where table_schema = current_schema()`.execute(database.raw);
    return Number(rows[0]?.count) === 0;
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    await database.close();
  }
}

/**
 * Put a copy that `backupDatabase` made in place, whole or not at all. `copy` is moved.
 * @throws {DiskUnavailable | DatabaseAway}
 */
export async function restoreDatabase(config: DatabaseConfig, copy: string): Promise<void> {
  try {
    if (config.url !== undefined) {
      const once = ['--no-owner', '--exit-on-error', '--single-transaction'];
      const { pathname } = new URL(config.url);
      const name = decodeURIComponent(pathname.slice(1));
      await runPostgresTool('pg_restore', [...once, '--dbname', name, copy], config.url);
      return;
    }
    await mkdir(path.dirname(config.file), { recursive: true, mode: 0o700 });
    await rename(copy, config.file);
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
