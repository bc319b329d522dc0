import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { createBullQueue } from '../../src/queue/bull-queue.js';
import { startServer } from '../emulators/http.js';
import { type CliResult, type CliRun, runCli, startCli } from '../support/cli.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { colourNet } from '../support/onnx-builder.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { freePort } from '../support/redis.js';
import { until } from '../support/until.js';
import { fleet, patientMs, setUpArchives } from './archive-setup.js';

/**
 * `huancai colorize --fleet` while what it stands on goes away and comes back, and with photos that
 * the workers cannot do. Redis, S3 emulator, workers and the command are real processes.
 */
jest.setTimeout(600_000);
const { at, dir, keep, manifest, redis, s3, scans, shared, startBoxes, workers } = setUpArchives({
  ownRedis: true,
});

/** What the run said on standard error that is not about one photo. */
const times = (err: string, text: string) => err.split(text).length - 1;

function expectAllDoneOnce(count: number, { code, err }: CliResult): void {
  expect({ code, err }).toMatchObject({ code: 0 });
  const lines = manifest();
  expect(lines.map(({ status }) => status)).toEqual(Array(count).fill('done'));
  expect(new Set(lines.map(({ photo }) => photo)).size).toBe(count);
  const results = readdirSync(at('colour')).filter((name) => name.endsWith('.jpg'));
  expect(results).toHaveLength(count);
}

/** The run has begun to come back with colours. */
async function begun(env: Record<string, string> = shared(), ...more: string[]): Promise<CliRun> {
  const run = keep(startCli([...fleet, ...more], { cwd: dir(), env }));
  await until(() => manifest().length > 0, patientMs);
  return run;
}

test('Redis killed, away for a while and started again: said once, waited for, all photos done once', async () => {
  await scans(12);
  await startBoxes(2);
  const run = await begun();
  await redis().restart({ whileDown: () => run.shows('Redis does not answer') });
  await until(() => manifest().length > 4, patientMs);
  const ended = await run.ended;
  expectAllDoneOnce(12, ended);
  expect(times(ended.err, 'Redis does not answer')).toBe(1);
  expect(ended.err).not.toContain('No worker is connected');
});

test('Redis emptied: photos are asked for again, and nobody is said to be gone', async () => {
  await scans(12);
  await startBoxes(2);
  const run = await begun();
  await redis().flush();
  const ended = await run.ended;
  expectAllDoneOnce(12, ended);
  expect(ended.err).not.toMatch(/does not answer|No worker/);
});

test('Redis killed and emptied at once', async () => {
  await scans(12);
  await startBoxes(2);
  const run = await begun(shared(), '--lang', 'zh-CN');
  await redis().restart({ whileDown: () => run.shows('Redis 没有回应') });
  await redis().flush();
  const ended = await run.ended;
  expectAllDoneOnce(12, ended);
  expect(times(ended.err, 'Redis 没有回应')).toBe(1);
});

test('Ctrl-C while Redis is away ends the run; a later one goes on', async () => {
  await scans(6);
  await startBoxes(1);
  const run = await begun();
  await redis().restart({
    whileDown: async () => {
      await run.shows('Redis does not answer');
      run.child.kill('SIGINT');
      expect((await run.ended).code).toBe(130);
    },
  });
  const again = await runCli([...fleet, '--resume'], { cwd: dir(), env: shared() });
  expectAllDoneOnce(6, again);
});

test('the bucket away and back: said once, waited for, all photos done once', async () => {
  const cable = await startFaultyProxy(Number(new URL(s3().endpoint).port));
  const env = { ...shared(), S3_ENDPOINT: cable.url, HUANCAI_BLOBS_TRIES: '2' };
  const said = 'The place where photos are kept cannot be reached';
  try {
    await scans(12);
    await startBoxes(2, env);
    const run = await begun(env);
    cable.setDown(true);
    await run.shows(said);
    // Long enough for several photos, and for several tries of each.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(run.child.exitCode).toBeNull();
    cable.setDown(false);
    const ended = await run.ended;
    expectAllDoneOnce(12, ended);
    expect(times(ended.err, said)).toBe(1);
    expect(ended.err).not.toContain('Redis does not answer');
  } finally {
    await cable.close();
  }
});

test('a photo that the workers refuse fails with their reason; the rest is done', async () => {
  await scans(3);
  await picture('large.png', 1600, 1200);
  await startBoxes(1, { ...shared(), HUANCAI_PHOTO_MEGAPIXELS: '1' });
  const run = await runCli([...fleet, '--json'], { cwd: dir(), env: shared() });
  expect(run.code).toBe(1);
  expect(run.records().at(-1)).toMatchObject({ type: 'summary', done: 3, failed: 1 });
  const failed = run.records().filter(({ status }) => status === 'failed');
  expect(failed).toMatchObject([{ error: { code: 'PHOTO_TOO_LARGE' } }]);
  expect(manifest().filter(({ status }) => status === 'done')).toHaveLength(3);
  expect(manifest().filter(({ status }) => status === 'failed')).toMatchObject([
    {
      ...{ photo: at('scans', 'large.png'), error: 'PHOTO_TOO_LARGE' },
      reason: expect.stringContaining('1'),
    },
  ]);
  // The same in words, for a person; what failed is asked for again.
  const again = await runCli([...fleet, '--resume', '--lang', 'zh-CN'], {
    cwd: dir(),
    env: shared(),
  });
  expect(again.code).toBe(1);
  expect(again.err).toMatch(/large\.png.*百万像素/);
  expect(again.out).toMatch(/失败 1/);
});

test('a model that only this machine has: every photo says so', async () => {
  await scans(2);
  await startBoxes(1);
  const net = colourNet(at('mine.onnx'));
  const cwd = dir();
  expect((await runCli(['models', 'import', net], { cwd })).code).toBe(0);
  const run = await runCli([...fleet, '--model', 'mine'], { cwd, env: shared() });
  expect(run.code).toBe(1);
  expect(manifest().map(({ error }) => error)).toEqual(['FLEET_OWN_MODEL', 'FLEET_OWN_MODEL']);
  expect(run.err).toContain('with --fleet only models of the catalog can be used');
});

test('a model that no worker can get ends its photos, until it is published', async () => {
  await scans(3);
  const id = 'ddcolor-facefusion';
  const network = readFileSync(colourNet(at('net.onnx')));
  const mirror = await startServer(async ({ path: where }) =>
    where.endsWith('/ddcolor.onnx') ? { status: 200, body: network } : { status: 404 },
  );
  const pull = { MODEL_MIRRORS: mirror.url, HUANCAI_MODEL_MIRRORS_HTTP: '1' };
  expect((await runCli(['models', 'pull', id], { cwd: dir(), env: pull })).code).toBe(0);
  await mirror.close();
  // Whatever machine this is: the world outside is out of the box's reach.
  const shut = { ...shared(), HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` };
  const [box] = await startBoxes(1, shut);
  const asked = [...fleet, '--model', id];
  const run = await runCli(asked, { cwd: dir(), env: shared() });
  expect(run.code).toBe(1);
  expect(run.err).toContain(`huancai models publish ${id}`);
  expect(manifest().map(({ error }) => error)).toEqual(Array(3).fill('FLEET_NO_MODEL'));
  expect(await workers()).toMatchObject([{ without: [id] }]);
  const listed = await runCli(['workers', '--lang', 'zh-CN'], { cwd: dir(), env: shared() });
  expect(listed.out).toContain(`无法取得：${id}`);

  const published = await runCli(['models', 'publish', id], { cwd: dir(), env: shared() });
  expect(published.code).toBe(0);
  // Asked again after two minutes; another box asks at once.
  box!.child.kill('SIGTERM');
  await box!.ended;
  await startBoxes(1, { ...shut, HUANCAI_DATA_DIR: at('another') });
  expectAllDoneOnce(3, await runCli([...asked, '--resume'], { cwd: dir(), env: shared() }));
});

test('a photo that takes two workers with it is set aside with its reason; the rest is done', async () => {
  // Large ones, so that a worker can be killed in the middle.
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) await picture(name, 4000, 3000);
  const queue = createBullQueue(
    { clock: wallClock, logger: keepingLogger() },
    { redisUrl: shared().REDIS_URL },
  );
  try {
    let [box] = await startBoxes(1);
    const run = keep(startCli(fleet, { cwd: dir(), env: shared() }));
    let poison: string | undefined;
    for (let deaths = 0; deaths < 2; deaths++) {
      await until(async () => {
        const active = await queue.list({ states: ['active'], limit: 10 });
        const own = active.filter(({ worker }) => worker?.endsWith(`:${box!.child.pid}`));
        poison ??= own[0]?.key;
        return own.some(({ key }) => key === poison);
      }, patientMs);
      box!.child.kill('SIGKILL');
      await box!.ended;
      [box] = await startBoxes(1);
    }
    const { code, err } = await run.ended;
    expect({ code, err }).toMatchObject({ code: 1 });
    const lines = manifest();
    expect(lines.map(({ status }) => status).sort()).toEqual(['done', 'done', 'failed']);
    const failed = lines.find(({ status }) => status === 'failed')!;
    expect(failed).toMatchObject({ error: 'FLEET_GAVE_UP' });
    expect(failed.reason).toContain('WORKER_LOST');
    expect(err).toContain('WORKER_LOST');
    expect(await queue.find(poison!)).toMatchObject({ state: 'dead' });
  } finally {
    await queue.close();
  }
});

async function picture(name: string, width: number, height: number): Promise<void> {
  mkdirSync(at('scans'), { recursive: true });
  // Each with its own content: the same one would be the same job.
  await sharp(path.join(__dirname, '../fixtures/photos/coffee.jpg'))
    .rotate(name.charCodeAt(0), { background: '#808080' })
    .resize(width, height, { fit: 'fill' })
    .toFile(at('scans', name));
}
