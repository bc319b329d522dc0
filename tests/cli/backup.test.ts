import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { dataFolder } from '../../src/cli/backup/contents.js';
import { ServerProcess } from '../crash/server-process.js';
import { runCli } from '../support/cli.js';
import { createHttpClient, type HttpClient } from '../support/http-client.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort } from '../support/redis.js';
import { until } from '../support/until.js';

jest.setTimeout(240_000);
const patientMs = 90_000;

let dir: string;
const running: ServerProcess[] = [];
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-backup-'));
});
afterEach(() => Promise.all(running.splice(0).map((server) => server.kill())));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function serve(dataDir: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const all = { HOME: dir, HUANCAI_DATA_DIR: dataDir, ...env };
  const server = new ServerProcess(all, await freePort(), `${dataDir}.log`);
  running.push(server);
  server.start();
  await server.ready();
  return server;
}

const huancai = (dataDir: string, args: string[], env = {}) =>
  runCli(args, { cwd: dir, env: { HUANCAI_DATA_DIR: dataDir, ...env } });

/** A customer with a photo in HD, bought with the sandbox. */
async function buyOne(client: HttpClient, url: string): Promise<string> {
  const picture = sharp({ create: { width: 240, height: 160, channels: 3, background: '#888' } });
  const { id } = await client.upload(await picture.jpeg().toBuffer());
  const is = (status: string) => async () =>
    (await client.json('GET', `/photos/${id}`)).status === status;
  await until(is('ready'), patientMs);
  const key = { 'idempotency-key': 'backup-test-1' };
  const wish = { method: 'sandbox' };
  const { order } = await client.json('POST', `/photos/${id}/unlock`, wish, key);
  await fetch(new URL(new URL(order.payUrl).pathname, url), { method: 'POST' });
  const done = async () => (await client.json('GET', `/photos/${id}`)).masterUrl !== undefined;
  await until(done, patientMs);
  return id;
}

describe('SQLite', () => {
  const from = () => path.join(dir, 'old');
  const archive = () => path.join(dir, 'huancai.zip');
  const settings = () => path.join(dir, 'settings.yaml');
  let cookie: string;
  let id: string;
  let master: Buffer;

  beforeAll(async () => {
    writeFileSync(settings(), 'prices:\n  freePreviewsPerDay: 77\n');
    const server = await serve(from(), { HUANCAI_CONFIG: settings() });
    const client = createHttpClient(server.url);
    await client.json('GET', '/me');
    id = await buyOne(client, server.url);
    cookie = client.cookie();
    master = Buffer.from(
      await (await client.send('GET', `/api/v1/photos/${id}/master`)).arrayBuffer(),
    );
    mkdirSync(path.join(from(), 'wechat'), { recursive: true });
    writeFileSync(path.join(from(), 'wechat', 'account.memory-card.json'), '{"kept":true}');
    const env = { HUANCAI_CONFIG: settings() };
    // The studio stays open meanwhile.
    const made = await huancai(from(), ['db', 'backup', archive(), '--json'], env);
    expect(made.records()).toMatchObject([{ type: 'backup', photosIncluded: true }]);
    expect(made.code).toBe(0);
  });

  test('everything in the data folder is named: kept, or left with a reason', () => {
    expect(readdirSync(from()).filter((name) => !(name in dataFolder))).toEqual([]);
  });

  test('for its owner only, never over another file, nothing left behind', async () => {
    expect(statSync(archive()).mode & 0o777).toBe(0o600);
    const again = await huancai(from(), ['db', 'backup', archive()]);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('huancai.zip')]);
    expect(readdirSync(path.join(from(), 'tmp')).filter((n) => n.startsWith('backup-'))).toEqual(
      [],
    );
  });

  test('on another machine the old cookie opens the same photos, and the books are right', async () => {
    const to = path.join(dir, 'new');
    const newSettings = path.join(dir, 'new-settings.yaml');
    const env = { HUANCAI_CONFIG: newSettings };
    writeFileSync(newSettings, '{}\n');
    const done = await huancai(to, ['db', 'restore', archive(), '--json'], env);
    const [restored, audit] = done.records();
    expect(restored).toMatchObject({ type: 'restored', photosMissing: 0 });
    expect(audit).toMatchObject({ type: 'audit', ok: true });
    expect(done.code).toBe(0);
    expect(readFileSync(path.join(to, 'restored-settings.yaml'), 'utf8')).toContain('77');
    expect(readFileSync(path.join(to, 'wechat', 'account.memory-card.json'), 'utf8')).toContain(
      'kept',
    );
    expect(readdirSync(path.join(to, 'tmp'))).toEqual([]);

    const server = await serve(to);
    const client = createHttpClient(server.url, { cookie });
    const { photos } = await client.json('GET', '/photos');
    expect(photos).toMatchObject([{ id, status: 'ready', unlocked: true }]);
    const file = await client.send('GET', `/api/v1/photos/${id}/master`);
    expect(Buffer.from(await file.arrayBuffer()).equals(master)).toBe(true);
  });

  test('never into a place where a studio is', async () => {
    const before = statSync(path.join(from(), 'studio.db')).ino;
    const refused = await huancai(from(), ['db', 'restore', archive(), '--lang', 'en']);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('there is a studio already');
    expect(statSync(path.join(from(), 'studio.db')).ino).toBe(before);
  });

  test.each([
    ['not an archive', () => Buffer.from('hello'), 'is not a backup'],
    ['cut short', () => readFileSync(archive()).subarray(0, 20_000), 'is not a backup'],
    ['a bit turned over in a photo', () => flipped(readFileSync(archive())), 'is damaged'],
  ])('%s is refused in words, and leaves an empty place', async (_name, bytes, words) => {
    const file = path.join(dir, 'bad.zip');
    writeFileSync(file, bytes());
    const to = path.join(dir, `bad-${words.length}-${Math.trunc(bytes().length)}`);
    const refused = await huancai(to, ['db', 'restore', file, '--lang', 'en']);
    expect({ code: refused.code, err: refused.err }).toEqual({
      ...{ code: 1, err: expect.stringContaining(words) },
    });
    expect(readdirSync(to)).not.toContain('studio.db');
    const missing = await huancai(to, ['db', 'restore', 'nowhere.zip', '--lang', 'en']);
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('ENOENT')]);
  });

  test('without photos it lists them, and restoring says how many are elsewhere', async () => {
    const list = path.join(dir, 'list.zip');
    const made = await huancai(from(), ['db', 'backup', list, '--without-photos', '--json']);
    expect(made.records()).toMatchObject([{ photosIncluded: false }]);
    const done = await huancai(path.join(dir, 'listed'), ['db', 'restore', list, '--json']);
    const [restored] = done.records() as [{ photosMissing: number }];
    expect(restored.photosMissing).toBeGreaterThan(3);
  });
});

describe('PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  test('goes into an empty database, and not into one in use', async () => {
    const old = { DATABASE_URL: await postgres.createDatabase() };
    const server = await serve(path.join(dir, 'pg'), old);
    const client = createHttpClient(server.url);
    await client.json('GET', '/me');
    const id = await buyOne(client, server.url);
    const file = path.join(dir, 'pg.zip');
    expect((await huancai(path.join(dir, 'pg'), ['db', 'backup', file], old)).code).toBe(0);
    const used = await huancai(path.join(dir, 'pg2'), ['db', 'restore', file], old);
    expect(used.code).toBe(1);
    const other = await huancai(path.join(dir, 'pg2'), ['db', 'restore', file]);
    expect(other.code).toBe(1);

    const env = { DATABASE_URL: await postgres.createDatabase() };
    const done = await huancai(path.join(dir, 'pg3'), ['db', 'restore', file, '--json'], env);
    expect(done.records()).toMatchObject([{ type: 'restored' }, { type: 'audit', ok: true }]);
    const again = await serve(path.join(dir, 'pg3'), env);
    const known = createHttpClient(again.url, { cookie: client.cookie() });
    expect((await known.json('GET', '/photos')).photos).toMatchObject([{ id, unlocked: true }]);
  });
});

/** Somewhere in the last photo's bytes: long after database and keys, before the list of entries. */
function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.lastIndexOf('blobs/', copy.lastIndexOf('photos.txt', copy.length - 2_000) - 1);
  const local = copy.indexOf(Buffer.from('blobs/'));
  copy[local + 200] = copy[local + 200]! ^ 0xff;
  expect(at).toBeGreaterThan(0);
  return copy;
}
