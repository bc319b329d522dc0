import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { translateDatabaseError } from '../../src/storage/database-errors.js';
import { createStore } from '../../src/storage/store.js';
import { DatabaseAway, DatabaseDamaged, DatabaseNewer } from '../../src/studio/errors/index.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { wallClock } from '../support/quiet.js';
import { until } from '../support/until.js';

/** A database that is there and does not do what it is asked. */
let postgres: TestPostgres;
let dir: string;
let file: string;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'refuses-'));
  file = path.join(dir, 'studio.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (changes: object = {}) =>
  openMigratedDatabase({ file, program: '0.2.0', ...changes }, wallClock);

test('a silent PostgreSQL: every call ends with DATABASE_AWAY, and all goes on after', async () => {
  const url = await postgres.createDatabase();
  const store = createStore(await open({ url, answerTimeoutMs: 1_000, busyTimeoutMs: 1_000 }));
  await store.ping();
  postgres.pause();
  try {
    await expect(store.ping()).rejects.toThrow(DatabaseAway);
    await expect(store.read.photos.find('a')).rejects.toThrow(DatabaseAway);
    const write = store.transaction(({ photos }) => photos.find('a'));
    await expect(write).rejects.toThrow(DatabaseAway);
  } finally {
    postgres.resume();
  }
  await until(() =>
    store.ping().then(
      () => true,
      () => false,
    ),
  );
  expect(await store.transaction(({ photos }) => photos.find('a'))).toBeUndefined();
  await store.close();
});

test('a read-only PostgreSQL is away: asking whether it is there says so, and so does a write', async () => {
  const url = await postgres.createDatabase();
  const first = await open({ url });
  const name = new URL(url).pathname.slice(1);
  await sql.raw(`alter database ${name} set default_transaction_read_only = on`).execute(first.raw);
  await first.close();
  const { openDatabase } = await import('../../src/storage/database.js');
  const database = openDatabase({ file, url });
  const store = createStore(database);
  await expect(store.ping()).rejects.toThrow(DatabaseAway);
  const write = store.transaction(({ outbox }) => outbox.relayed(['x'], 1));
  await expect(write).rejects.toThrow(DatabaseAway);
  // What a server answers that is failing over: 55000.
  const failing = await sql`select pg_wal_replay_pause()`.execute(database.raw).catch((e) => e);
  expect(failing).toMatchObject({ code: '55000' });
  expect(translateDatabaseError(failing)).toBeInstanceOf(DatabaseAway);
  await store.close();
});

test.each(['sqlite', 'postgres'] as const)(
  '%s: a database of a newer program is refused, named, and left as it is',
  async (dialect) => {
    const where = dialect === 'postgres' ? { url: await postgres.createDatabase() } : {};
    const now = await open(where);
    const add = (name: string, program: string | null) =>
      sql`insert into schema_migrations (name, applied_ms, program)
        values (${name}, 1, ${program})`.execute(now.raw);
    await add('900-future', null);
    await now.close();
    const nameless = await open(where).catch((caught: unknown) => caught);
    expect(nameless).toBeInstanceOf(DatabaseNewer);
    expect(nameless).toMatchObject({ params: { program: '900-future', ours: '0.2.0' } });
    const { openDatabase } = await import('../../src/storage/database.js');
    const again = openDatabase({ file, ...where });
    await sql`insert into schema_migrations (name, applied_ms, program)
      values ('901-future', 2, '0.9.0')`.execute(again.raw);
    await again.close();
    await expect(open(where)).rejects.toMatchObject({ params: { program: '0.9.0' } });
  },
);

test('a database of the first version, whose steps carry no program, opens and goes on', async () => {
  const old = await open();
  await sql`alter table schema_migrations drop column program`.execute(old.raw);
  await old.close();
  const now = await open();
  const { rows } = await sql`select program from schema_migrations`.execute(now.raw);
  expect(rows.length).toBeGreaterThan(5);
  await now.close();
});

test('a SQLite file that is none, and one with broken pages, are said to be damaged', async () => {
  writeFileSync(file, 'no database at all, whatever its name says. '.repeat(100));
  await expect(open()).rejects.toThrow(DatabaseDamaged);
  rmSync(file);
  const database = await open();
  for (let i = 0; i < 200; i += 1)
    await sql`insert into schema_migrations (name, applied_ms) values (${`filler-${i}`.padEnd(200)}, 1)`.execute(
      database.raw,
    );
  await database.close();
  const bytes = openSync(file, 'r+');
  writeSync(bytes, Buffer.alloc(200_000, 0x7f), 0, 200_000, 4096);
  const broken = await open().catch((caught: unknown) => caught);
  expect(broken).toBeInstanceOf(DatabaseDamaged);
  expect(broken).toMatchObject({ code: 'DATABASE_DAMAGED', messageKey: 'storage.databaseDamaged' });
});
