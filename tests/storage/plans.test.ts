import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { auditLedger } from '../../src/storage/audit.js';
import {
  type Database,
  type DatabaseConfig,
  openDatabase,
  openMigratedDatabase,
} from '../../src/storage/database.js';
import { migrate } from '../../src/storage/migrate.js';
import { migrations } from '../../src/storage/migrations/index.js';
import { createStore } from '../../src/storage/store.js';
import { growDatabase } from '../support/grown-database.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { Collector } from './plans/collector.js';
import { othersOf } from './plans/drive-others.js';
import { driveOf } from './plans/drive-tables.js';
import { exceptions } from './plans/exceptions.js';
import { judgeOf } from './plans/judge.js';

const photos = 20_000;
const clock = { now: () => 1 };
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-plans-'));
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});

const needed = new Set<string>();
const where: Readonly<Record<string, () => Promise<DatabaseConfig>>> = {
  SQLite: async () => ({ file: path.join(dir, 'grown.db') }),
  PostgreSQL: async () => ({ file: '', url: await postgres.createDatabase() }),
};

describe.each(Object.keys(where))('%s', (name) => {
  let database: Database;
  const progress: string[] = [];
  beforeAll(async () => {
    const config = await where[name]!();
    // An installation of a version before, with all its rows.
    const old = openDatabase(config);
    const before = migrations.slice(
      0,
      migrations.findIndex((step) => step.inSteps),
    );
    await migrate(old.raw, old.dialect, 1, before);
    await growDatabase(old.raw, photos);
    // Interrupted in the middle of the long step.
    const interrupted = migrate(old.raw, old.dialect, 1, migrations, 'new', ({ done }) => {
      if (done === 5) throw new Error('power cut');
    });
    await expect(interrupted).rejects.toThrow('power cut');
    await old.close();
    database = await openMigratedDatabase(config, clock, ({ step, done, of }) =>
      progress.push(`${step} ${done}/${of}`),
    );
  });
  afterAll(() => database.close());

  test('an installation of before migrates by itself, after an interruption too', async () => {
    expect(progress.length).toBeGreaterThan(20);
    expect(await migrate(database.raw, database.dialect, 1)).toEqual([]);
    expect(await auditLedger(database.raw)).toEqual([]);
  });

  test('every statement costs what it returns', async () => {
    const collector = new Collector(database.raw);
    await driveAll(database, collector);
    // SQLite has no statistics until somebody asks for them; PostgreSQL gathers them by itself.
    const problems = name === 'SQLite' ? await problemsOf(database, collector) : [];
    await sql.raw('analyze').execute(database.raw);
    problems.push(...(await problemsOf(database, collector)));
    expect([...new Set(problems)]).toEqual([]);
    expect(collector.statements.length).toBeGreaterThan(120);
  });
});

test('no exception is out of date', () => {
  expect(Object.keys(exceptions).filter((by) => !needed.has(by))).toEqual([]);
});

const undone = new Error('undone');

async function driveAll(database: Database, collector: Collector): Promise<void> {
  const listening: Database = {
    ...database,
    raw: database.raw.withPlugin(collector),
    writer: database.writer.withPlugin(collector),
    reader: database.reader.withPlugin(collector),
  };
  const store = createStore(listening);
  for (const [table, calls] of Object.entries(await driveOf(createStore(database), photos))) {
    const methods = Object.keys(store.read[table as keyof typeof store.read]);
    expect(Object.keys(calls).sort()).toEqual(methods.sort());
    for (const [method, call] of Object.entries(calls)) {
      const work = store.transaction(async (tables) => {
        collector.by = `${table}.${method}`;
        await (call as (table: unknown) => Promise<unknown>)(tables[table as keyof typeof tables]);
        throw undone;
      });
      await expect(work).rejects.toBe(undone);
    }
  }
  for (const [part, calls] of Object.entries(othersOf(listening, photos))) {
    for (const [method, call] of Object.entries(calls)) {
      collector.by = `${part}.${method}`;
      await (call as () => Promise<unknown>)();
    }
  }
}

async function problemsOf(database: Database, { statements }: Collector): Promise<string[]> {
  const judge = judgeOf(database);
  const problems: string[] = [];
  for (const { by, query } of statements) {
    const found = await judge(query);
    if (found.length === 0) continue;
    if (exceptions[by]?.allows.test(found.join(', '))) needed.add(by);
    else problems.push(`${by}: ${found.join(', ')}\n  ${query.sql}`);
  }
  return problems;
}
