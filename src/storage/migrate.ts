import { type Kysely, sql } from 'kysely';
import { type DialectName, type Migration, migrations } from './migrations/index.js';

/** Whether a step of the schema was applied. */
export interface MigrationStatus {
  readonly name: string;
  /** ms since 1970; undefined: not applied yet. */
  readonly appliedMs?: number;
}

interface Applied {
  schema_migrations: { name: string; applied_ms: number };
}

/** Any number that nobody else locks in this database. */
const lockNumber = 4_869_636;

/**
 * Bring the schema up to date. Processes that start together wait for each other: SQLite by its
 * write lock, PostgreSQL by an advisory lock. All steps commit together or none does.
 * @returns names of the steps that were applied now.
 */
export async function migrate(
  raw: Kysely<unknown>,
  dialect: DialectName,
  nowMs: number,
  steps: readonly Migration[] = migrations,
): Promise<string[]> {
  return raw.transaction().execute(async (transaction) => {
    if (dialect === 'postgres') {
      await sql`select pg_advisory_xact_lock(${sql.lit(lockNumber)})`.execute(transaction);
    }
    await sql`create table if not exists schema_migrations (
      name text primary key, applied_ms bigint not null)`.execute(transaction);
    const table = transaction as unknown as Kysely<Applied>;
    const rows = await table.selectFrom('schema_migrations').select('name').execute();
    const applied = new Set(rows.map((row) => row.name));
    const missing = steps.filter((step) => !applied.has(step.name));
    for (const step of missing) {
      for (const statement of step.statements(dialect)) {
        await sql.raw(statement).execute(transaction);
      }
      await table
        .insertInto('schema_migrations')
        .values({ name: step.name, applied_ms: nowMs })
        .execute();
    }
    return missing.map((step) => step.name);
  });
}

/** Every step and when it was applied here. */
export async function migrationStatus(
  raw: Kysely<unknown>,
  steps: readonly Migration[] = migrations,
): Promise<MigrationStatus[]> {
  const tables = await raw.introspection.getTables();
  const known = tables.some((table) => table.name === 'schema_migrations');
  const rows = known
    ? await (raw as Kysely<Applied>).selectFrom('schema_migrations').selectAll().execute()
    : [];
  const applied = new Map(rows.map((row) => [row.name, Number(row.applied_ms)]));
  return steps.map(({ name }) => {
    const appliedMs = applied.get(name);
    return appliedMs === undefined ? { name } : { name, appliedMs };
  });
}
