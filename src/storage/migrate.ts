import { type Kysely, sql } from 'kysely';
import { DatabaseNewer } from '../studio/errors/index.js';
import { type DialectName, type Migration, migrations } from './migrations/index.js';

/** Whether a step of the schema was applied. */
export interface MigrationStatus {
  readonly name: string;
  /** ms since 1970; undefined: not applied yet. */
  readonly appliedMs?: number;
}

interface Applied {
  schema_migrations: { name: string; applied_ms: number; program: string | null };
}

/** Any number that nobody else locks in this database. */
const lockNumber = 4_869_636;

/**
 * Bring the schema up to date. Processes that start together wait for each other: SQLite by its
 * write lock, PostgreSQL by an advisory lock. All steps commit together or none does.
 * @param program version of this program, kept with the steps it applies.
 * @returns names of the steps that were applied now.
 * @throws {DatabaseNewer} there are steps that this program does not know; nothing was changed.
 */
export async function migrate(
  raw: Kysely<unknown>,
  dialect: DialectName,
  nowMs: number,
  steps: readonly Migration[] = migrations,
  program = 'unknown',
): Promise<string[]> {
  return raw.transaction().execute(async (transaction) => {
    if (dialect === 'postgres') {
      await sql`select pg_advisory_xact_lock(${sql.lit(lockNumber)})`.execute(transaction);
    }
    await sql`create table if not exists schema_migrations (
      name text primary key, applied_ms bigint not null)`.execute(transaction);
    await addProgramColumn(transaction, dialect);
    const table = transaction as unknown as Kysely<Applied>;
    const rows = await table.selectFrom('schema_migrations').selectAll().execute();
    refuseNewer(rows, steps, program);
    const applied = new Set(rows.map((row) => row.name));
    const missing = steps.filter((step) => !applied.has(step.name));
    for (const step of missing) {
      for (const statement of step.statements(dialect)) {
        await sql.raw(statement).execute(transaction);
      }
      await table
        .insertInto('schema_migrations')
        .values({ name: step.name, applied_ms: nowMs, program })
        .execute();
    }
    return missing.map((step) => step.name);
  });
}

/** Databases of the first version know only when a step was applied, not by whom. */
async function addProgramColumn(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  if (dialect === 'postgres') {
    await sql`alter table schema_migrations add column if not exists program text`.execute(db);
    return;
  }
  const { rows } = await sql`select 1 from pragma_table_info('schema_migrations')
    where name = 'program'`.execute(db);
  if (rows.length === 0)
    await sql`alter table schema_migrations add column program text`.execute(db);
}

/** An older program would not see what the newer one wrote, and break what it relies on. */
function refuseNewer(
  rows: readonly Applied['schema_migrations'][],
  steps: readonly Migration[],
  program: string,
): void {
  const known = new Set(steps.map((step) => step.name));
  const newest = rows
    .filter((row) => !known.has(row.name))
    .sort((a, b) => a.name.localeCompare(b.name))
    .at(-1);
  if (newest) throw new DatabaseNewer(newest.program ?? newest.name, program);
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
