import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';

/** Statements kept compiled; the product has far fewer. */
const statementsMax = 500;

/**
 * Open a SQLite file so that several processes can share it and nothing committed is lost to
 * kill -9 or a power cut: WAL, synchronous FULL, waiting for the lock up to `busyTimeoutMs`.
 */
export function openSqliteFile(
  file: string,
  busyTimeoutMs: number,
  readonly: boolean,
): Sqlite.Database {
  const database = new Sqlite(file, { timeout: busyTimeoutMs, readonly });
  if (!readonly) {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
  }
  return database;
}

class ImmediateDriver extends SqliteDriver {
  /** A transaction that reads first and writes later would otherwise fail when it must upgrade. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** Kysely's SQLite with BEGIN IMMEDIATE and compiled statements kept. */
export class ImmediateSqliteDialect extends SqliteDialect {
  constructor(private readonly database: Sqlite.Database) {
    super({ database });
  }

  override createDriver(): Driver {
    const { database } = this;
    const statements = new Map<string, Sqlite.Statement>();
    const prepare = (text: string): Sqlite.Statement => {
      const known = statements.get(text);
      if (known) return known;
      if (statements.size >= statementsMax) statements.clear();
      const statement = database.prepare(text);
      statements.set(text, statement);
      return statement;
    };
    return new ImmediateDriver({
      database: { close: () => database.close(), prepare } as unknown as Sqlite.Database,
    });
  }
}
