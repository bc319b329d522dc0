import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { ServerProcess } from '../crash/server-process.js';
import { type CliRun, runCli, startCli } from '../support/cli.js';
import { createHttpClient } from '../support/http-client.js';
import { freePort, startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

// Each test starts several real processes.
jest.setTimeout(300_000);
const patientMs = 120_000;

/** The real process, as `npm start` runs it. */
let dir: string;
const running: (CliRun | ServerProcess)[] = [];
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-serve-'));
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    if (one instanceof ServerProcess) await one.kill();
    else one.child.kill('SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true });
});

async function serve(env: Record<string, string> = {}): Promise<ServerProcess> {
  const all = { HOME: dir, HUANCAI_DATA_DIR: path.join(dir, 'data'), ...env };
  const server = new ServerProcess(all, await freePort(), path.join(dir, 'log'));
  running.push(server);
  server.start();
  await server.ready();
  return server;
}

const picture = (seed: number) =>
  sharp({ create: { width: 200 + seed, height: 150, channels: 3, background: '#777' } })
    .jpeg()
    .toBuffer();

test('prints one address, says that the sandbox takes no money, keeps files to itself', async () => {
  const run = startCli(['serve'], { cwd: dir, env: { PORT: '0' } });
  running.push(run);
  await run.shows('serve.open');
  run.child.kill('SIGTERM');
  const { code, out, err } = await run.ended;
  expect(code).toBe(0);
  expect(out.trim()).toMatch(/^Huancai is open at http:\/\/127\.0\.0\.1:\d+$/);
  expect(err).toContain('Nobody is charged');
  const lines = err.split('\n').filter((line) => line.startsWith('{'));
  expect(lines.map((line) => JSON.parse(line).event)).toContain('serve.stopped');
});

test('a port that is taken gets one clear sentence', async () => {
  const first = await serve();
  const second = await runCli(['serve'], { cwd: dir, env: { PORT: String(first.port) } });
  expect(second.code).toBe(3);
  expect(second.err).toMatch(/Cannot listen on 127\.0\.0\.1:\d+.*PORT/);
  expect(second.err).not.toContain('    at ');
});

test('settings that cannot be used are all named', async () => {
  const env = { PORT: 'many', REDIS_URL: 'http://x', DATABASE_URL: 'mysql://u:secret@h/d' };
  const { code, err } = await runCli(['serve'], { cwd: dir, env });
  expect(code).toBe(3);
  for (const name of ['PORT', 'REDIS_URL', 'DATABASE_URL']) expect(err).toContain(name);
  expect(err).not.toContain('secret');
});

test('SIGTERM drains, exits 0, and a second start finds it all again', async () => {
  const first = await serve();
  const client = createHttpClient(first.url);
  const { id } = await client.upload(await picture(1));
  expect(await first.stop()).toBe(0);
  first.start();
  await first.ready();
  await until(
    async () => (await client.json('GET', `/photos/${id}`)).status === 'ready',
    patientMs,
  );
});

test('a second process on the same data folder shares the work', async () => {
  const first = await serve();
  const second = await serve();
  const client = createHttpClient(first.url);
  const { id } = await client.upload(await picture(2));
  await until(
    async () => (await client.json('GET', `/photos/${id}`)).status === 'ready',
    patientMs,
  );
  const there = createHttpClient(second.url, { cookie: client.cookie() });
  expect((await there.json('GET', `/photos/${id}`)).status).toBe('ready');
});

test('the inference process is killed: it comes back, the photo is tried again', async () => {
  const server = await serve();
  const client = createHttpClient(server.url);
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) ids.push((await client.upload(await picture(10 + i))).id);
  let killed = 0;
  const killer = setInterval(() => {
    if (killed < 2 && server.killInference()) killed++;
  }, 700);
  try {
    for (const id of ids)
      await until(
        async () => (await client.json('GET', `/photos/${id}`)).status === 'ready',
        patientMs,
      );
    await until(() => killed > 0);
  } finally {
    clearInterval(killer);
  }
  await until(async () => (await fetch(`${server.url}/readyz`)).ok);
});

test('a worker without a database takes photos over Redis; jobs are listed there', async () => {
  const redis = await startRedis();
  try {
    await worksElsewhere({ REDIS_URL: redis.url });
  } finally {
    await redis.stop();
  }
});

test('a worker on the same data folder takes photos out of the database', () => worksElsewhere({}));

/** serve leaves photos alone, another process takes them; the operator looks on. */
async function worksElsewhere(place: Record<string, string>): Promise<void> {
  const shared = { ...place, HUANCAI_QUEUE_LEASE_MS: '3000', HUANCAI_WORK_PHOTOS_AT_ONCE: '0' };
  const server = await serve(shared);
  const client = createHttpClient(server.url);
  const { id } = await client.upload(await picture(3));
  const env = { ...shared, HUANCAI_DATA_DIR: path.join(dir, 'data') };
  const jobs = (...args: string[]) => runCli(['jobs', ...args, '--json'], { cwd: dir, env });
  const restore = async () =>
    (await jobs('list')).records().find((one) => one['name'] === 'restore');
  let waiting: Record<string, unknown> | undefined;
  await until(async () => {
    waiting = await restore();
    return waiting !== undefined;
  }, patientMs);
  expect(waiting).toMatchObject({ state: 'waiting', key: expect.stringContaining(id) });
  const worker = startCli(['worker'], { cwd: dir, env });
  running.push(worker);
  await worker.shows('worker.open');
  await until(
    async () => (await client.json('GET', `/photos/${id}`)).status === 'ready',
    patientMs,
  );
  const { timeline } = await client.json('GET', `/photos/${id}/timeline`);
  const decoded = timeline.find((line: { event: string }) => line.event === 'photo.decoded');
  // Machines are the operator's to see.
  expect(JSON.stringify(decoded)).not.toContain(os.hostname());
  const shown = await runCli(['photo', 'show', id, '--json'], { cwd: dir, env });
  expect(shown.out).toContain(`${os.hostname()}:${worker.child.pid}`);
  expect(await restore()).toBeUndefined();
  expect((await jobs('retry', 'nobody')).code).toBe(1);
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  expect(await server.stop()).toBe(0);
}
