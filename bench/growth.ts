/**
 * What the studio's steps cost in a small shop and in a large one: the same calls on two databases,
 * turn by turn, the best of several runs each, as a ratio. On SQLite, and on a PostgreSQL of its own if
 * one is installed. First both databases are filled as a version before this one left them, and
 * migrated.
 *
 *   node scripts/bench.mjs growth [--rows 10000,100000] [--only sqlite|postgres] [--dir folder]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { auditLedger } from '../src/storage/audit.js';
import {
  type Database,
  type DatabaseConfig,
  openDatabase,
  openMigratedDatabase,
} from '../src/storage/database.js';
import { migrate } from '../src/storage/migrate.js';
import { migrations } from '../src/storage/migrations/index.js';
import { growDatabase } from '../tests/support/grown-database.js';
import { startPostgres, type TestPostgres } from '../tests/support/postgres.js';
import { type Step, stepsOf } from './growth-steps.js';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000,100000' },
    only: { type: 'string' },
    dir: { type: 'string', default: os.tmpdir() },
  },
});
const sizes = options.rows.split(',').map(Number);
const clock = { now: () => Date.now() };
const rounds = 5;

interface Grown {
  readonly photos: number;
  readonly config: DatabaseConfig;
  readonly database: Database;
  readonly fillMs: number;
  readonly migrateMs: number;
}

async function run(): Promise<void> {
  const dir = mkdtempSync(path.join(options.dir, 'huancai-growth-'));
  let postgres: TestPostgres | undefined;
  try {
    if (options.only !== 'postgres') {
      await compare('SQLite', async (photos) => ({ file: path.join(dir, `${photos}.db`) }));
    }
    if (options.only === 'sqlite') return;
    const server = await startPostgres();
    postgres = server;
    await compare('PostgreSQL', async () => ({ file: '', url: await server.createDatabase() }));
  } finally {
    await postgres?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function compare(name: string, where: (photos: number) => Promise<DatabaseConfig>) {
  const grown: Grown[] = [];
  for (const photos of sizes) grown.push(await grow(await where(photos), photos));
  console.log(`\n${name}: photos ${sizes.join(', ')}; filled in ${secondsOf(grown, 'fillMs')}`);
  console.log(`| ${name}, ms | ${sizes.join(' | ')} | last : first |`);
  console.log(`|---|${sizes.map(() => '---|').join('')}---|`);
  row(
    'migrating from the version before',
    grown.map(({ migrateMs }) => migrateMs),
  );
  row('opening', await turns(grown.map((one) => () => reopened(one.config))));
  const steps = grown.map(({ database, photos }) => stepsOf(database, photos));
  for (const step of Object.keys(steps[0]!) as Step[]) {
    row(step, await turns(steps.map((one) => one[step])));
  }
  const audits: number[] = [];
  for (const { database } of grown) audits.push(await timed(() => audited(database)));
  row('ledger audit', audits);
  for (const { database } of grown) await database.close();
}

/** As an installation of before has it, then with the schema of today. */
async function grow(config: DatabaseConfig, photos: number): Promise<Grown> {
  const old = openDatabase(config);
  const long = migrations.findIndex((step) => step.inSteps);
  await migrate(old.raw, old.dialect, 1, migrations.slice(0, long));
  const fillMs = await timed(() => growDatabase(old.raw, photos));
  await old.close();
  const migrateMs = await timed(() => reopened(config));
  const database = await openMigratedDatabase(config, clock);
  // PostgreSQL does so by itself before long; SQLite has to do without.
  if (database.dialect === 'postgres') await sql`analyze`.execute(database.raw);
  return { photos, config, database, fillMs, migrateMs };
}

async function reopened(config: DatabaseConfig): Promise<void> {
  await (await openMigratedDatabase(config, clock)).close();
}

async function audited({ raw }: Database): Promise<void> {
  const findings = await auditLedger(raw);
  if (findings.length > 0) throw new Error(`the books are wrong: ${JSON.stringify(findings[0])}`);
}

/** Turn by turn, so that a noisy moment disturbs all alike. @returns the best of each, ms. */
async function turns(works: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) best[i] = Math.min(best[i]!, await timed(work));
  }
  return best;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function row(name: string, ms: readonly number[]): void {
  const figures = ms.map((one) => (one < 10 ? one.toFixed(2) : one.toFixed(0)));
  console.log(`| ${name} | ${figures.join(' | ')} | ${(ms.at(-1)! / ms[0]!).toFixed(1)} |`);
}

const secondsOf = (grown: readonly Grown[], key: 'fillMs') =>
  grown.map((one) => `${(one[key] / 1000).toFixed(0)} s`).join(', ');

run().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
