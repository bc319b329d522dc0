import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Kysely, sql } from 'kysely';
import { type Database, openDatabase } from '../../src/storage/database.js';

const NORMAL = 1;
const FULL = 2;
let dir: string;
let database: Database;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'huancai-relaxed-'));
  database = openDatabase({ file: path.join(dir, 'studio.db') });
});
afterEach(async () => {
  await database.close();
  rmSync(dir, { recursive: true, force: true });
});

async function synchronous(handle: Kysely<unknown>): Promise<number> {
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(handle);
  return rows[0]!.synchronous;
}

test('only statements of the relaxed handle do not wait for the disk', async () => {
  expect(await synchronous(database.raw)).toBe(FULL);
  expect(await synchronous(database.relaxed)).toBe(NORMAL);
  expect(await synchronous(database.raw)).toBe(FULL);
});

test('a statement that fails leaves the next ones durable', async () => {
  const failing = sql`insert into nowhere values (1)`.execute(database.relaxed);
  await expect(failing).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
  expect(await synchronous(database.raw)).toBe(FULL);
});

test('a relaxed statement waits for a transaction and takes nothing from it', async () => {
  await sql`create table t (what text)`.execute(database.raw);
  const seen: number[] = [];
  const money = database.raw.transaction().execute(async (tx) => {
    await sql`insert into t values ('money')`.execute(tx);
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push(await synchronous(tx));
    await sql`insert into t values ('more money')`.execute(tx);
  });
  const job = sql`insert into t values ('job')`.execute(database.relaxed);
  await Promise.all([money, job]);
  expect(seen).toEqual([FULL]);
  const { rows } = await sql<{ what: string }>`select what from t`.execute(database.raw);
  expect(rows.map(({ what }) => what)).toEqual(['money', 'more money', 'job']);
});
