import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import { Pool, types } from 'pg';
import type { Clock } from '../studio/ports/basics.js';
import { translateDatabaseError } from './database-errors.js';
import { migrate } from './migrate.js';
import type { DialectName } from './migrations/index.js';
import type { Schema } from './schema.js';
import { ImmediateSqliteDialect, openSqliteFile } from './sqlite-dialect.js';

export interface DatabaseConfig {
  /** SQLite file; its folder is made. Ignored when `url` is given. */
  readonly file: string;
  /** postgres://user:password@host:port/database */
  readonly url?: string;
  /** Waiting for another process's lock. */
  readonly busyTimeoutMs?: number;
  /** PostgreSQL connections of this process. */
  readonly connections?: number;
}

/** An open database: one handle to write, one to read outside transactions. */
export interface Database {
  readonly dialect: DialectName;
  /** Names as in the schema, snake_case: for other rings' own tables. */
  readonly raw: Kysely<unknown>;
  /** Names as in TypeScript, camelCase. */
  readonly writer: Kysely<Schema>;
  readonly reader: Kysely<Schema>;
  close(): Promise<void>;
}

const defaultBusyTimeoutMs = 10_000;
const defaultConnections = 10;

/** Open without touching the schema. @throws {DatabaseAway | DiskUnavailable} */
export function openDatabase(config: DatabaseConfig): Database {
  return config.url === undefined ? openSqlite(config) : openPostgres(config, config.url);
}

/** Open and bring the schema up to date. @throws {DatabaseAway | DiskUnavailable} */
export async function openMigratedDatabase(config: DatabaseConfig, clock: Clock) {
  const database = openDatabase(config);
  try {
    await migrate(database.raw, database.dialect, clock.now());
    return database;
  } catch (error) {
    await database.close();
    throw translateDatabaseError(error);
  }
}

function openSqlite(config: DatabaseConfig): Database {
  const busyTimeoutMs = config.busyTimeoutMs ?? defaultBusyTimeoutMs;
  try {
    mkdirSync(path.dirname(config.file), { recursive: true });
    const dialect = (readonly: boolean) =>
      new ImmediateSqliteDialect(openSqliteFile(config.file, readonly), busyTimeoutMs);
    // A second connection reads the last commit without waiting for the writer of this process.
    return handles('sqlite', dialect(false), dialect(true));
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

function openPostgres(config: DatabaseConfig, url: string): Database {
  const pool = new Pool({
    connectionString: url,
    max: config.connections ?? defaultConnections,
    connectionTimeoutMillis: config.busyTimeoutMs ?? defaultBusyTimeoutMs,
    types: { getTypeParser: ((id: number, format?: 'text') => parserOf(id, format)) as never },
  });
  // An idle connection that breaks is replaced; without a listener it would end the process.
  pool.on('error', () => {});
  return handles('postgres', new PostgresDialect({ pool }));
}

/** bigint and numeric (sums) are within 2^53 here: fen of all sales of a century are. */
function parserOf(id: number, format?: 'text'): unknown {
  if (id === types.builtins.INT8 || id === types.builtins.NUMERIC) return Number;
  return types.getTypeParser(id, format);
}

type AnyDialect = ImmediateSqliteDialect | PostgresDialect;

function handles(dialect: DialectName, write: AnyDialect, read?: AnyDialect): Database {
  const raw = new Kysely<unknown>({ dialect: write });
  const camel = new CamelCasePlugin();
  const writer = raw.withPlugin(camel) as unknown as Kysely<Schema>;
  const readRaw = read ? new Kysely<unknown>({ dialect: read }) : undefined;
  const reader = readRaw ? (readRaw.withPlugin(camel) as unknown as Kysely<Schema>) : writer;
  let closed: Promise<void> | undefined;
  const close = async () => {
    await readRaw?.destroy();
    await raw.destroy();
  };
  return {
    dialect,
    raw,
    writer,
    reader,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
