import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolClient, types } from 'pg';
import type { Clock } from '../studio/ports/basics.js';
import { translateDatabaseError } from './database-errors.js';
import { type MigrationProgress, migrate } from './migrate.js';
import { type DialectName, migrations } from './migrations/index.js';
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
  /** A PostgreSQL statement without an answer by then has failed. Default: ten minutes. */
  readonly answerTimeoutMs?: number;
  /** Version of this program, for the record of who changed the schema. */
  readonly program?: string;
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
const defaultAnswerTimeoutMs = 600_000;

/** Open without touching the schema. @throws {DatabaseAway | DiskUnavailable} */
export function openDatabase(config: DatabaseConfig): Database {
  return config.url === undefined ? openSqlite(config) : openPostgres(config, config.url);
}

/**
 * Open and bring the schema up to date.
 * @param onProgress told while a large database is worked on.
 * @throws {DatabaseAway | DiskUnavailable | DatabaseNewer | DatabaseDamaged}
 */
export async function openMigratedDatabase(
  config: DatabaseConfig,
  clock: Clock,
  onProgress?: (progress: MigrationProgress) => void,
) {
  // A step over many rows, or another process that is at it, may take longer than any other statement.
  const patient = config.url === undefined ? config : { ...config, answerTimeoutMs: undefined };
  const database = openDatabase(patient);
  try {
    const { raw, dialect } = database;
    await migrate(raw, dialect, clock.now(), migrations, config.program, onProgress);
  } catch (error) {
    await database.close();
    throw translateDatabaseError(error);
  }
  if (config.answerTimeoutMs === undefined || config.url === undefined) return database;
  await database.close();
  return openDatabase(config);
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
      query_timeout: config.answerTimeoutMs ?? defaultAnswerTimeoutMs,
      types: { getTypeParser: ((id: number, format?: 'text') => parserOf(id, format)) as never },
      ...(options ? { options } : {}),
    });
    // An idle connection that breaks is replaced; without a listener it would end the process.
    pool.on('error', () => {});
    pool.on('connect', leaveWhenSilent);
    return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  };
  return handles('postgres', { raw: open(), relaxed: open('-c synchronous_commit=off') });
}

/**
 * A statement that ran out of time still waits on its connection, and whatever is asked there after it
 * waits behind it: the connection is cut, and the pool opens another.
 */
function leaveWhenSilent(client: PoolClient): void {
  // A connection that breaks between two statements of a transaction has no listener of the pool's.
  client.on('error', () => {});
  const ask = client.query.bind(client) as (...args: unknown[]) => unknown;
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  const asked = (...args: unknown[]): unknown => {
    const answer = ask(...args);
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        if (error instanceof Error && error.message === 'Query read timeout')
          connection.stream.destroy();
      });
    return answer;
  };
  client.query = asked as typeof client.query;
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
