import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { createBullQueue } from '../../src/queue/bull-queue.js';
import { ServerProcess } from '../crash/server-process.js';
import { runCli, startCli } from '../support/cli.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { freePort } from '../support/redis.js';
import { until } from '../support/until.js';
import { args, fleet, patientMs, pidOf, pidsOf, setUpArchives } from './archive-setup.js';

/**
 * `huancai colorize --fleet` for real: Redis, a bucket or a studio, and `huancai worker` processes
 * with the starter model on the CPU.
 */
jest.setTimeout(600_000);
const { at, dir, keep, manifest, scans, shared, startBoxes, workers } = setUpArchives();

test('what the fleet makes is what this machine makes; a bad file stops nothing', async () => {
  mkdirSync(at('scans'));
  for (const name of ['astronaut.jpg', 'chelsea.jpg', 'coffee.jpg'])
    cpSync(path.join(__dirname, '../fixtures/photos', name), at('scans', name));
  writeFileSync(at('scans', 'broken.jpg'), 'no photograph');
  const alone = ['colorize', 'scans', '-o', 'alone', '--format', 'png'];
  expect((await runCli(alone, { cwd: dir() })).code).toBe(1);
  const boxes = await startBoxes(2);
  const before = readFileSync(at('scans', 'coffee.jpg'));
  const run = await runCli([...args, '--fleet', '--format', 'png', '--json'], {
    cwd: dir(),
    env: shared(),
  });
  expect(run.code).toBe(1);
  expect(readdirSync(at('colour')).filter((name) => name.endsWith('.png'))).toHaveLength(3);
  for (const name of ['astronaut.png', 'chelsea.png', 'coffee.png'])
    expect(await largestDifference(at('alone', name), at('colour', name))).toBeLessThanOrEqual(1);
  // The store moves files it is given: never the photo itself.
  expect(readFileSync(at('scans', 'coffee.jpg'))).toEqual(before);
  const told = manifest();
  const lines = told.filter(({ status }) => status !== 'failed');
  expect(lines).toHaveLength(3);
  expect(told.filter((line) => !lines.includes(line))).toMatchObject([
    { photo: at('scans', 'broken.jpg'), error: 'PHOTO_UNREADABLE', results: [] },
  ]);
  for (const line of lines) {
    expect(line).toMatchObject({ status: 'done', provider: 'cpu' });
    expect(pidsOf(boxes)).toContain(pidOf(line));
    expect(line.inferenceSeconds).toBeGreaterThan(0);
  }
  const failed = run.records().filter((one) => one['status'] === 'failed');
  expect(failed).toMatchObject([{ error: { code: 'PHOTO_UNREADABLE' } }]);
});

test('killed workers lose nothing', async () => {
  await scans(12);
  const boxes = await startBoxes(2);
  const run = startCli(fleet, { cwd: dir(), env: shared() });
  keep(run);
  await until(() => manifest().length > 0, patientMs);
  boxes[0]!.child.kill('SIGKILL');
  const { code } = await run.ended;
  expect(code).toBe(0);
  const lines = manifest();
  expect(new Set(lines.map(({ photo }) => photo)).size).toBe(12);
  expect(lines.map(pidOf)).toContain(boxes[1]!.child.pid);
  // What it held when it died was done by the other one.
  expect(readdirSync(at('colour')).filter((name) => name.endsWith('.jpg'))).toHaveLength(12);
});

test('the command itself killed: a second run does again neither what is done nor what boxes did meanwhile', async () => {
  await scans(12);
  await startBoxes(2);
  const killed = startCli(fleet, { cwd: dir(), env: shared() });
  await until(() => manifest().length > 1, patientMs);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const before = manifest();
  expect(before.length).toBeLessThan(12);
  const { code } = await runCli([...fleet, '--resume'], { cwd: dir(), env: shared() });
  expect(code).toBe(0);
  const after = manifest();
  expect(new Set(after.map(({ photo }) => photo)).size).toBe(12);
  for (const line of before) expect(after).toContainEqual(line);
  // Boxes say what they have done every five seconds.
  const done = async () =>
    (await workers()).reduce((sum, { photosDone }) => sum + Number(photosDone), 0);
  await until(async () => (await done()) >= 12, patientMs);
  expect(await done()).toBe(12);
});

test('Ctrl-C takes back what waits, and a later run does it', async () => {
  await scans(12);
  const [box] = await startBoxes(1);
  const queue = createBullQueue(
    { clock: wallClock, logger: keepingLogger() },
    { redisUrl: shared().REDIS_URL },
  );
  try {
    const run = startCli(fleet, { cwd: dir(), env: shared() });
    keep(run);
    await until(() => manifest().length > 0, patientMs);
    // A box that thinks for a while: the photos wait.
    box!.child.kill('SIGSTOP');
    await until(async () => (await queue.counts()).waiting > 1, patientMs);
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect((await queue.counts()).waiting).toBe(0);
    box!.child.kill('SIGCONT');
    await until(async () => {
      const { waiting, active, delayed } = await queue.counts();
      return waiting + active + delayed === 0;
    }, patientMs);
    expect((await queue.counts()).cancelled).toBeGreaterThan(0);
  } finally {
    await queue.close();
  }
  const again = await runCli([...fleet, '--resume'], { cwd: dir(), env: shared() });
  expect(again.code).toBe(0);
  expect(new Set(manifest().map(({ photo }) => photo)).size).toBe(12);
});

test('no box left: it says so, waits, and goes on with the next one', async () => {
  await scans(6);
  const [box] = await startBoxes(1);
  const run = startCli([...fleet, '--lang', 'zh-CN'], { cwd: dir(), env: shared() });
  keep(run);
  await until(() => manifest().length > 0, patientMs);
  box!.child.kill('SIGKILL');
  await run.shows('工作节点都已断开');
  await startBoxes(1);
  expect((await run.ended).code).toBe(0);
  expect(manifest()).toHaveLength(6);
});

test("over the studio's own address", async () => {
  await scans(3);
  const token = 'token of the workers, thirty-two letters';
  const queue = { REDIS_URL: shared().REDIS_URL, HUANCAI_WORKER_TOKEN: token };
  const studio = new ServerProcess(
    {
      ...{ HOME: dir(), HUANCAI_DATA_DIR: at('studio'), HUANCAI_WORK_PHOTOS_AT_ONCE: '0' },
      ...queue,
    },
    await freePort(),
    at('studio.log'),
  );
  keep(studio);
  studio.start();
  await studio.ready(patientMs);
  const env = { ...queue, HUANCAI_STUDIO_URL: studio.url, HUANCAI_INFERENCE_THREADS: '1' };
  const boxes = await startBoxes(1, env);
  const { code } = await runCli([...args, '--fleet'], { cwd: dir(), env });
  expect(code).toBe(0);
  expect(manifest().map(pidOf)).toEqual(Array(3).fill(boxes[0]!.child.pid));
});

test('what is missing is said with what to do about it, in both languages', async () => {
  await scans(1);
  const { REDIS_URL, ...bucket } = shared();
  const ask = async (env: Record<string, string>, ...more: string[]) => {
    const { code, err } = await runCli([...fleet, ...more], { cwd: dir(), env });
    expect(code).toBe(3);
    return err;
  };
  expect(await ask(bucket)).toContain('set REDIS_URL');
  expect(await ask({ REDIS_URL })).toContain('set S3_BUCKET');
  expect(await ask(shared())).toContain('start huancai worker');
  expect(await ask(shared(), '--lang', 'zh-CN')).toContain('没有已连接的工作节点');
  const dead = `redis://:secret@127.0.0.1:${await freePort()}/0`;
  const gone = await ask({ ...bucket, REDIS_URL: dead });
  expect(gone).toMatch(/Redis at 127\.0\.0\.1:\d+ does not answer/);
  expect(gone).not.toContain('secret');
  await startBoxes(1);
  const away = await ask({
    ...shared(),
    S3_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    HUANCAI_BLOBS_TRIES: '1',
  });
  expect(away).toContain('The place where photos are kept cannot be reached');
  expect(existsSync(at('colour', '00.jpg'))).toBe(false);
});

async function largestDifference(one: string, other: string): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((file) => sharp(file).raw().toBuffer()));
  expect(a!.length).toBe(b!.length);
  return a!.reduce((most, v, i) => Math.max(most, Math.abs(v - b![i]!)), 0);
}
