import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { ServerProcess } from '../crash/server-process.js';
import { startS3 } from '../emulators/s3/server.js';
import { type CliRun, runCli, startCli } from '../support/cli.js';
import { createHttpClient } from '../support/http-client.js';
import { freePort, startRedis, type TestRedis } from '../support/redis.js';

/**
 * The starter model for real: studio and two `huancai worker` processes that share Redis and one of
 * the blob adapters, nothing else. What comes back is what the studio makes alone.
 */
jest.setTimeout(400_000);
const patientMs = 180_000;
const token = 'token of the workers, thirty-two letters';

let dir: string;
let redis: TestRedis;
let alone: Made[];
const running: (ServerProcess | CliRun)[] = [];
beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-real-'));
  redis = await startRedis();
  alone = await colour('alone', {}, {});
});
afterEach(stopAll);
afterAll(async () => {
  await stopAll();
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function stopAll(): Promise<void> {
  for (const one of running.splice(0)) {
    if (one instanceof ServerProcess) await one.kill();
    else one.child.kill('SIGKILL');
  }
}

interface Made {
  readonly inference: unknown;
  readonly pixels: string;
  readonly worker: string;
}

const photos = ['astronaut.jpg', 'chelsea.jpg', 'coffee.jpg'].map((name) =>
  readFileSync(path.join(__dirname, '../fixtures/photos', name)),
);

/** Send the photos and look at what came of them. */
async function colour(
  name: string,
  shared: Record<string, string>,
  workerOnly: Record<string, string>,
): Promise<Made[]> {
  const boxes = Object.keys(shared).length > 0 ? 2 : 0;
  const env = {
    HOME: dir,
    HUANCAI_DATA_DIR: path.join(dir, name),
    HUANCAI_INFERENCE_THREADS: '1',
    ...shared,
    ...(boxes ? { HUANCAI_WORK_PHOTOS_AT_ONCE: '0' } : {}),
  };
  const server = new ServerProcess(env, await freePort(), path.join(dir, `${name}.log`));
  running.push(server);
  server.start();
  await server.ready(patientMs);
  const client = createHttpClient(server.url);
  const ids: string[] = [];
  for (const bytes of photos) ids.push((await client.upload(bytes)).id);
  const place =
    workerOnly['HUANCAI_STUDIO_URL'] === 'ask' ? { HUANCAI_STUDIO_URL: server.url } : {};
  for (let i = 0; i < boxes; i++) {
    const own = {
      HUANCAI_DATA_DIR: path.join(dir, `${name}-box${i}`),
      HUANCAI_INFERENCE_THREADS: '1',
    };
    const more = { HUANCAI_WORK_PHOTOS_AT_ONCE: '1', ...workerOnly, ...place };
    running.push(startCli(['worker'], { cwd: dir, env: { ...shared, ...own, ...more } }));
  }
  await eventually(async () => {
    const states = await Promise.all(ids.map((id) => client.json('GET', `/photos/${id}`)));
    return states.every(({ status }) => status === 'ready');
  }, patientMs);
  return Promise.all(
    ids.map(async (id) => ({ ...(await madeOf(client, id)), worker: await workerOf(id, env) })),
  );
}

/** Looks now and then only: the machine has work. */
async function eventually(is: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await is())) {
    if (Date.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${is}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Machines are the operator's to see. */
async function workerOf(id: string, env: Record<string, string>): Promise<string> {
  const { records } = await runCli(['photo', 'show', id, '--json'], { cwd: dir, env });
  const [{ timeline }] = records() as unknown as [
    { timeline: { event: string; details: { worker: string } }[] },
  ];
  return timeline.find((line) => line.event === 'photo.decoded')!.details.worker;
}

async function madeOf(client: ReturnType<typeof createHttpClient>, id: string) {
  const { timeline } = await client.json('GET', `/photos/${id}/timeline`);
  const event = (name: string) =>
    timeline.find((line: { event: string }) => line.event === name).details;
  const { model, inputWidthPx, inputHeightPx, provider } = event('photo.predicted');
  const preview = await client.send('GET', `/api/v1/photos/${id}/preview`);
  const pixels = await sharp(await preview.arrayBuffer())
    .raw()
    .toBuffer();
  return {
    inference: { model, inputWidthPx, inputHeightPx, provider },
    pixels: createHash('sha256').update(pixels).digest('hex'),
  };
}

function expectAsAlone(made: readonly Made[]): void {
  const results = (all: readonly Made[]) =>
    all.map(({ inference, pixels }) => ({ inference, pixels }));
  expect(results(made)).toEqual(results(alone));
  const own = new Set(
    running.flatMap((one) => (one instanceof ServerProcess ? [] : [one.child.pid])),
  );
  for (const { worker } of made) expect(own).toContain(Number(worker.split(':').at(-1)));
}

test('over a bucket', async () => {
  const s3 = await startS3();
  try {
    const shared = {
      REDIS_URL: `${redis.url}/1`,
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: s3.bucketName,
      S3_ACCESS_KEY_ID: s3.keys.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
      S3_PATH_STYLE: 'true',
    };
    expectAsAlone(await colour('bucket', shared, {}));
    const { records } = await runCli(['workers', '--json'], { cwd: dir, env: shared });
    expect(records()).toHaveLength(2);
    expect(records()[0]).toMatchObject({ blobs: 's3', models: ['starter'], cards: [] });
  } finally {
    await stopAll();
    await s3.close();
  }
});

test("over the studio's own address", async () => {
  const shared = { REDIS_URL: `${redis.url}/2`, HUANCAI_WORKER_TOKEN: token };
  expectAsAlone(await colour('studio', shared, { HUANCAI_STUDIO_URL: 'ask' }));
});
