import { CompiledQuery, type Kysely, sql } from 'kysely';
import type { Database } from '../../../src/storage/database.js';

/** Tables that stay small however long the shop is open. */
const small = ['schema_migrations', 'settings', 'queue_workers'];
/** Indexes of what is open or under way, and goes out of them: reading one whole is reading that. */
const ofOpenThings = [
  'notifications_open',
  'quarantine_open',
  'quarantine_open_of',
  'outbox_waiting',
  'questions_open',
  'photos_waiting',
  'photos_waiting_of',
  'queue_jobs_leases',
];
/** Rows that may be sorted or read whole: an answer's own, not a table's. */
const fewRows = 1_000;

/** Says what is wrong with the plan of a statement; nothing when it costs what it returns. */
export type Judge = (query: CompiledQuery) => Promise<string[]>;

/** @returns a judge for this database, with whatever statistics it has now. */
export function judgeOf({ dialect, raw }: Database): Judge {
  return dialect === 'sqlite' ? (query) => bySqlite(raw, query) : (query) => byPostgres(raw, query);
}

async function bySqlite(raw: Kysely<unknown>, query: CompiledQuery): Promise<string[]> {
  const plan = await raw.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]),
  );
  const grown = new Set(
    (await raw.introspection.getTables()).map(({ name }) => name).filter((n) => !small.includes(n)),
  );
  return plan.rows
    .map(({ detail }) => detail)
    .filter((detail) => {
      const [, table, index] = /^SCAN (\w+)(?: USING .*INDEX (\w+))?/.exec(detail) ?? [];
      if (index && ofOpenThings.includes(index)) return false;
      return detail.startsWith('USE TEMP B-TREE') || (table !== undefined && grown.has(table));
    });
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly PlanNode[];
}

/** With whole reads made dear, one appears only where there is no other way. */
async function byPostgres(raw: Kysely<unknown>, query: CompiledQuery): Promise<string[]> {
  const { rows } = await raw.transaction().execute(async (transaction) => {
    await sql`set local enable_seqscan = off`.execute(transaction);
    return transaction.executeQuery<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
      CompiledQuery.raw(`explain (format json) ${query.sql}`, [...query.parameters]),
    );
  });
  const found: string[] = [];
  visit(rows[0]!['QUERY PLAN'][0]!.Plan, found);
  return found;
}

function visit(node: PlanNode, found: string[]): void {
  const type = node['Node Type'];
  const table = node['Relation Name'];
  const index = node['Index Name'];
  const below = node.Plans ?? [];
  if (type === 'Seq Scan' && table && !small.includes(table)) found.push(`Seq Scan on ${table}`);
  if (index && !node['Index Cond'] && !ofOpenThings.includes(index))
    found.push(`${type} of all of ${index}`);
  if (type.endsWith('Sort') && below.some((one) => one['Plan Rows'] > fewRows)) {
    found.push(`${type} of ${below[0]!['Plan Rows']} rows`);
  }
  for (const one of below) visit(one, found);
}
