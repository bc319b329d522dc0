import { type Kysely, sql, type Transaction } from 'kysely';
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

/** How far a long step is: statements done of all of it. */
export interface MigrationProgress {
  readonly step: string;
  readonly done: number;
  readonly of: number;
}

/**
 * Bring the schema up to date. Processes that start together wait for each other: SQLite by its
 * write lock, PostgreSQL by an advisory lock. Neighbouring steps commit together or none does; a long
 * one commits statement by statement, so that after an interruption it goes on where it was.
 * @param program version of this program, kept with the steps it applies.
 * @param onProgress told before each statement of a long step.
 * @returns names of the steps that were applied now.
 * @throws {DatabaseNewer} there are steps that this program does not know; nothing was changed.
 */
export async function migrate(
  raw: Kysely<unknown>,
  dialect: DialectName,
  nowMs: number,
  steps: readonly Migration[] = migrations,
  program = 'unknown',
  onProgress: (progress: MigrationProgress) => void = () => {},
): Promise<string[]> {
  const applied: string[] = [];
  const open: Migration[] = [];
  const target = { raw, dialect, nowMs, steps, program };
  for (const step of steps) {
    if (!step.inSteps) {
      open.push(step);
      continue;
    }
    applied.push(...(await applyTogether(target, open.splice(0))));
    if (await applyInSteps(target, step, onProgress)) applied.push(step.name);
  }
  return [...applied, ...(await applyTogether(target, open))];
}

interface MigrationTarget {
  readonly raw: Kysely<unknown>;
  readonly dialect: DialectName;
  readonly nowMs: number;
  /** All that this program knows. */
  readonly steps: readonly Migration[];
  readonly program: string;
}

async function applyInSteps(
  target: MigrationTarget,
  step: Migration,
  onProgress: (progress: MigrationProgress) => void,
): Promise<boolean> {
  const statements = step.statements(target.dialect);
  for (const [done, statement] of statements.entries()) {
    const ran = await exclusively(target, async (transaction, applied) => {
      if (applied.has(step.name)) return false;
      onProgress({ step: step.name, done, of: statements.length });
      await sql.raw(statement).execute(transaction);
      return true;
    });
    if (!ran) return false;
  }
  return (await applyTogether(target, [{ ...step, statements: () => [] }])).length > 0;
}

function applyTogether(target: MigrationTarget, steps: readonly Migration[]): Promise<string[]> {
  const { dialect, nowMs, program } = target;
  return exclusively(target, async (transaction, applied) => {
    const missing = steps.filter((step) => !applied.has(step.name));
    for (const step of missing) {
      for (const statement of step.statements(dialect)) {
        await sql.raw(statement).execute(transaction);
      }
      await (transaction as unknown as Kysely<Applied>)
        .insertInto('schema_migrations')
        .values({ name: step.name, applied_ms: nowMs, program })
        .execute();
    }
    return missing.map((step) => step.name);
  });
}

/** In a transaction that no other process migrates in; `work` is told what is applied already. */
function exclusively<T>(
  { raw, dialect, steps, program }: MigrationTarget,
  work: (transaction: Transaction<unknown>, applied: ReadonlySet<string>) => Promise<T>,
): Promise<T> {
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
    return work(transaction, new Set(rows.map((row) => row.name)));
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
