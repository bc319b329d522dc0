import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ServerProcess } from '../crash/server-process.js';
import { startServer } from '../emulators/http.js';
import { type S3Emulator, startS3 } from '../emulators/s3/server.js';
import { runCli } from '../support/cli.js';
import { colourNet } from '../support/onnx-builder.js';
import { freePort } from '../support/redis.js';

/** One box gets a model from the outside; the others get it from the bucket or from the studio. */
jest.setTimeout(400_000);
const id = 'ddcolor-facefusion';
const token = 'a worker token of thirty-two letters';
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-publish-'));
const network = readFileSync(colourNet(path.join(dir, 'net.onnx'), { layers: 6, channels: 96 }));
let s3: S3Emulator;
let bucket: Record<string, string>;
beforeAll(async () => {
  s3 = await startS3();
  bucket = {
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucketName,
    S3_ACCESS_KEY_ID: s3.keys.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
    S3_PATH_STYLE: 'true',
  };
  const mirror = await startServer(async ({ path: where }) =>
    where.endsWith('/ddcolor.onnx')
      ? { status: 200, body: network, headers: { 'content-length': String(network.length) } }
      : { status: 404 },
  );
  const outside = { MODEL_MIRRORS: mirror.url, HUANCAI_MODEL_MIRRORS_HTTP: '1' };
  const pulled = await models('first', outside, 'pull', id);
  await mirror.close();
  expect(pulled).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await s3?.close();
  rmSync(dir, { recursive: true, force: true });
});

const folder = (box: string) => path.join(dir, box);
const models = (box: string, env: Record<string, string>, ...args: string[]) =>
  runCli(['models', ...args, '--json'], {
    cwd: dir,
    env: { HUANCAI_DATA_DIR: folder(box), ...env },
  });
const installed = (box: string) => readFileSync(path.join(folder(box), 'models', `${id}.onnx`));

test('published to the bucket, pulled from there first, over a bad cable', async () => {
  const published = await models('first', bucket, 'publish', id);
  expect(published.records()).toEqual([
    { type: 'model', id, outcome: 'published', place: `${s3.endpoint}/huancai` },
  ]);
  expect([...s3.bucket.objects.keys()].sort()).toEqual([
    `huancai/models/${id}.json`,
    `huancai/models/${id}.onnx`,
  ]);
  const faults = ['cut', 'cut', 'http500'] as const;
  let met = 0;
  s3.faults = (what) => (what === 'GET object' && met > 0 ? faults[met++ - 1] : void met++);
  const pulled = await models('second', bucket, 'pull', id);
  s3.faults = () => undefined;
  expect(pulled.records()[0]).toMatchObject({
    outcome: 'installed',
    source: `s3://models/${id}.onnx`,
  });
  expect(installed('second').equals(installed('first'))).toBe(true);
});

test('what is not here or ships with the package is not published', async () => {
  const unknown = await models('second', bucket, 'publish', 'nobody', 'starter');
  expect(unknown.code).not.toBe(0);
  const codes = unknown.records().map((one) => (one['error'] as { code: string }).code);
  expect(codes).toEqual(['MODEL_MISSING', 'MODEL_BUNDLED']);
  const nowhere = await models('first', {}, 'publish', id);
  expect(nowhere.code).toBe(3);
  expect(nowhere.out).toContain('S3_BUCKET');
});

test('a bucket that refuses us is named', async () => {
  const wrong = { ...bucket, S3_SECRET_ACCESS_KEY: 'another' };
  const { code, records } = await models('first', wrong, 'publish', id);
  expect(code).not.toBe(0);
  expect(records()[0]).toMatchObject({ error: { code: 'BLOBS_AWAY' } });
  expect(JSON.stringify(records())).toContain('SignatureDoesNotMatch');
});

test('a box without a bucket gets it from the studio', async () => {
  const env = { HOME: dir, HUANCAI_DATA_DIR: folder('first'), HUANCAI_WORKER_TOKEN: token };
  const studio = new ServerProcess(
    { ...env, HUANCAI_WORK_PHOTOS_AT_ONCE: '0' },
    await freePort(),
    path.join(dir, 'serve.log'),
  );
  studio.start();
  try {
    await studio.ready(240_000);
    const place = { HUANCAI_STUDIO_URL: studio.url, HUANCAI_WORKER_TOKEN: token };
    const pulled = await models('third', place, 'pull', id);
    expect(pulled.records()[0]).toMatchObject({
      outcome: 'installed',
      source: `studio://models/${id}.onnx`,
    });
    expect(installed('third').equals(installed('first'))).toBe(true);
    const refused = await fetch(`${studio.url}/fleet/v1/models/${id}.onnx`);
    expect(refused.status).toBe(401);
  } finally {
    await studio.kill();
  }
});
