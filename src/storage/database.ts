import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import { Pool, types } from 'pg';
import type { Clock } from '../studio/ports/basics.js';
import { translateDatabaseError } from './database-errors.js';
import { migrate } from './migrate.js';
import type { DialectName } from './migrations/index.js';
import type { Schema } from './schema.js';
import { ImmediateSqliteDialect, openSqliteFile, RelaxedStatements } from './sqlite-dialect.js';

/** Where the data lie: a SQLite file or a PostgreSQL server; times in ms. */
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
  /**
   * The same for single statements that a power cut may undo, because whoever made them repeats
   * them: their commit does not wait for the disk. The log is one: what another handle commits
   * afterwards takes them along, so nothing is ever kept that followed from something lost.
   */
  readonly relaxed: Kysely<unknown>;
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
    const raw = new Kysely<unknown>({ dialect: dialect(false) });
    const reading = new Kysely<unknown>({ dialect: dialect(true) });
    return handles('sqlite', { raw, relaxed: raw.withPlugin(new RelaxedStatements()), reading });
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

function openPostgres(config: DatabaseConfig, url: string): Database {
  const open = (options?: string) => {
    const pool = new Pool({
      connectionString: url,
      max: config.connections ?? defaultConnections,
      connectionTimeoutMillis: config.busyTimeoutMs ?? defaultBusyTimeoutMs,
      types: { getTypeParser: ((id: number, format?: 'text') => parserOf(id, format)) as never },
      ...(options ? { options } : {}),
    });
    // An idle connection that breaks is replaced; without a listener it would end the process.
    pool.on('error', () => {});
    return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  };
  return handles('postgres', { raw: open(), relaxed: open('-c synchronous_commit=off') });
}

/** bigint and numeric (sums) are within 2^53 here: fen of all sales of a century are. */
function parserOf(id: number, format?: 'text'): unknown {
  if (id === types.builtins.INT8 || id === types.builtins.NUMERIC) return Number;
  return types.getTypeParser(id, format);
}

type Handle = Kysely<unknown>;

function handles(
  dialect: DialectName,
  { raw, relaxed, reading }: { raw: Handle; relaxed: Handle; reading?: Handle },
): Database {
  const camel = new CamelCasePlugin();
  const writer = raw.withPlugin(camel) as unknown as Kysely<Schema>;
  const reader = reading ? (reading.withPlugin(camel) as unknown as Kysely<Schema>) : writer;
  let closed: Promise<void> | undefined;
  const close = async () => {
    await reading?.destroy();
    if (dialect === 'postgres') await relaxed.destroy();
    await raw.destroy();
  };
  return {
    dialect,
    raw,
    relaxed,
    writer,
    reader,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
