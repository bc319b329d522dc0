import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import { systemCodeOf } from '../studio/errors/base.js';

/** Statements kept compiled; the product has far fewer. */
const statementsMax = 500;
/** While opening, SQLite itself waits for a lock, ms. */
const openTimeoutMs = 10_000;
/** Between two tries to get the write lock, ms. */
const retryMs = { from: 1, to: 12 } as const;

/**
 * Open a SQLite file so that several processes can share it and nothing committed is lost to
 * kill -9 or a power cut: WAL and synchronous FULL.
 */
export function openSqliteFile(file: string, readonly: boolean): Sqlite.Database {
  const database = new Sqlite(file, { timeout: openTimeoutMs, readonly });
  if (!readonly) {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    // Copying the log into the file costs two more waits for the disk: every 16 MB, not every 4.
    database.pragma('wal_autocheckpoint = 4000');
  }
  // From now on we wait ourselves: SQLite's own waiting would stop the event loop, and with it a
  // transaction of this process that holds the lock.
  database.pragma('busy_timeout = 0');
  return database;
}

/** Roots of the statements that RelaxedStatements let through. */
const relaxed = new WeakSet<object>();

/** Marks statements whose commit does not wait for the disk: `database.relaxed`. */
export class RelaxedStatements implements KyselyPlugin {
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    relaxed.add(node);
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result;
  }
}

/** Waits for another connection's write lock without holding up anything else. */
class PatientConnection implements DatabaseConnection {
  constructor(
    private readonly inner: DatabaseConnection,
    private readonly database: Sqlite.Database,
    private readonly busyTimeoutMs: number,
  ) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const endMs = performance.now() + this.busyTimeoutMs;
    for (;;) {
      try {
        return await this.execute<R>(query);
      } catch (error) {
        const busy = systemCodeOf(error) === 'SQLITE_BUSY';
        if (!busy || performance.now() > endMs) throw error;
      }
      const waitMs = retryMs.from + Math.random() * (retryMs.to - retryMs.from);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** Between the two settings nothing else happens: the driver works without giving way. */
  private execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (!relaxed.has(query.query) || this.database.inTransaction)
      return this.inner.executeQuery<R>(query);
    this.database.pragma('synchronous = NORMAL');
    try {
      return this.inner.executeQuery<R>(query);
    } finally {
      this.database.pragma('synchronous = FULL');
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery<R>(query, chunkSize as number);
  }
}

class ImmediateDriver extends SqliteDriver {
  constructor(
    private readonly database: Sqlite.Database,
    private readonly busyTimeoutMs: number,
  ) {
    super({ database: keepStatements(database) });
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const inner = await super.acquireConnection();
    return new PatientConnection(inner, this.database, this.busyTimeoutMs);
  }

  /** A transaction that reads first and writes later would otherwise fail when it must upgrade. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** Kysely's SQLite with BEGIN IMMEDIATE, patient locks and compiled statements kept. */
export class ImmediateSqliteDialect extends SqliteDialect {
  constructor(
    private readonly database: Sqlite.Database,
    private readonly busyTimeoutMs: number,
  ) {
    super({ database });
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.database, this.busyTimeoutMs);
  }
}

function keepStatements(database: Sqlite.Database): Sqlite.Database {
  const statements = new Map<string, Sqlite.Statement>();
  const prepare = (text: string): Sqlite.Statement => {
    const known = statements.get(text);
    if (known) return known;
    if (statements.size >= statementsMax) statements.clear();
    const statement = database.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  return { close: () => database.close(), prepare } as unknown as Sqlite.Database;
}
