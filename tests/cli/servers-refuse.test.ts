import { mkdtempSync, openAsBlob, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startS3 } from '../emulators/s3/server.js';
import { type CliRun, runCli, startCli } from '../support/cli.js';
import { colourNet } from '../support/onnx-builder.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const photo = path.join(__dirname, '../../assets/demo/photographer.jpg');

/** The real command against servers that refuse: it lives, and says which setting to look at. */
let cwd: string;
let redis: TestRedis;
let postgres: TestPostgres;
beforeAll(async () => {
  [redis, postgres] = await Promise.all([startRedis({ own: true }), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([redis.stop(), postgres.stop()]);
});
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-refuse-'));
});
const open: CliRun[] = [];
afterEach(async () => {
  redis.resume();
  for (const { child } of open) child.kill('SIGKILL');
  await Promise.all(open.splice(0).map(({ ended }) => ended));
  rmSync(cwd, { recursive: true, force: true });
});

const run = (env: object, ...args: string[]) => runCli(args, { cwd, env });

interface Open {
  readonly running: CliRun;
  readonly url: string;
  readonly said: () => string;
}

/** Start `serve` and wait for its address. */
async function serve(env: object): Promise<Open> {
  const port = await freePort();
  const running = startCli(['serve'], { cwd, env: { PORT: String(port), ...env } });
  open.push(running);
  let err = '';
  running.child.stderr!.on('data', (text) => {
    err += text;
  });
  await running.shows('serve.open');
  return { running, url: `http://127.0.0.1:${port}`, said: () => err };
}

async function sendPhoto(url: string): Promise<Response> {
  const form = new FormData();
  form.append('photo', await openAsBlob(photo), 'a.jpg');
  return fetch(`${url}/api/v1/photos`, { method: 'POST', body: form, headers: { origin: url } });
}

/** Status of `/readyz` and what it says of one check. */
async function ready(url: string, check: string): Promise<[number, unknown]> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(20_000) });
  const body = (await response.json()) as { checks: Record<string, unknown> };
  return [response.status, body.checks[check]];
}

test('serve: Redis with a password, from the start and later, ends nothing; without it work goes on', async () => {
  await redis.client.config('SET', 'requirepass', 'secret');
  const { running, url, said } = await serve({ REDIS_URL: redis.url });
  await until(() => said().includes('NOAUTH'));
  expect(said()).toContain('"setting":"REDIS_URL"');
  expect(await ready(url, 'queue')).toMatchObject([503, { ok: false, detail: 'QUEUE_AWAY' }]);
  await redis.client.config('SET', 'requirepass', '');
  await until(async () => (await ready(url, 'queue'))[0] === 200);
  await redis.client.config('SET', 'requirepass', 'secret');
  await redis.client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await redis.client.client('KILL', 'TYPE', 'pubsub');
  await until(async () => (await ready(url, 'queue'))[0] === 503);
  await redis.client.config('SET', 'requirepass', '');
  await until(async () => (await ready(url, 'queue'))[0] === 200);
  expect(said()).not.toContain('process.bug');
  running.child.kill('SIGTERM');
  expect(await running.ended).toMatchObject({ code: 0 });
});

test('worker: Redis with a password is said with the setting, in both languages', async () => {
  await redis.client.config('SET', 'requirepass', 'secret');
  try {
    const english = await run({ REDIS_URL: redis.url, LANG: 'en_GB.UTF-8' }, 'worker');
    expect(english).toMatchObject({ code: 3 });
    expect(english.err).toMatch(/Redis wants a password\. Put it into REDIS_URL/);
    expect(english.err).not.toContain('process.bug');
    const chinese = await run({ REDIS_URL: redis.url, LANG: 'zh_CN.UTF-8' }, 'worker');
    expect(chinese.err).toMatch(/Redis 需要密码。请写入 REDIS_URL/);
  } finally {
    await redis.client.config('SET', 'requirepass', '');
  }
});

test('a silent Redis holds up no visitor: an upload and its view are answered, without a place', async () => {
  const { running, url, said } = await serve({ REDIS_URL: redis.url });
  await until(async () => (await ready(url, 'queue'))[0] === 200);
  redis.pause();
  try {
    const sent = await sendPhoto(url);
    expect(sent.status).toBe(202);
    const cookie = sent.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const { id } = (await sent.json()) as { id: string };
    const seen = await fetch(`${url}/api/v1/photos/${id}`, { headers: { cookie } });
    expect(seen.status).toBe(200);
    // The server has not answered anybody so far: none of these answers waited for it.
    expect(await ready(url, 'queue')).toMatchObject([503, { ok: false }]);
  } finally {
    redis.resume();
  }
  await until(async () => (await ready(url, 'queue'))[0] === 200);
  expect(said()).not.toContain('process.bug');
  running.child.kill('SIGTERM');
  await running.ended;
});

test.each([
  [
    'a wrong key',
    { S3_SECRET_ACCESS_KEY: 'wrong' },
    /SignatureDoesNotMatch/,
    /S3_SECRET_ACCESS_KEY/,
  ],
  ['another bucket', { S3_BUCKET: 'nobodys-bucket' }, /NoSuchBucket/, /S3_BUCKET/],
] as const)(
  'S3 with %s: the visitor reads no address, the log line and the command line say it',
  async (_what, wrong, reason, setting) => {
    const s3 = await startS3();
    try {
      const env = {
        ...{ S3_ENDPOINT: s3.endpoint, S3_BUCKET: s3.bucketName, S3_PATH_STYLE: 'true' },
        ...{ S3_ACCESS_KEY_ID: s3.keys.accessKeyId, S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey },
        ...wrong,
      };
      const { url, said } = await serve(env);
      const sent = await sendPhoto(url);
      expect(sent.status).toBe(503);
      const body = await sent.text();
      expect(JSON.parse(body)).toMatchObject({ code: 'BLOBS_AWAY' });
      expect(JSON.parse(body)).not.toHaveProperty('params');
      for (const secret of [new URL(s3.endpoint).host, '127.0.0.1', 'nobodys-bucket', 'Signature'])
        expect(body).not.toContain(secret);
      await until(() => said().includes('web.refused'));
      const line = said()
        .split('\n')
        .find((one) => one.includes('web.refused'))!;
      expect(JSON.parse(line)).toMatchObject({ code: 'BLOBS_AWAY' });
      expect(line).toContain(s3.endpoint);
      expect(line).toMatch(reason);
      // The same by hand: a command of the operator that needs the bucket.
      colourNet(path.join(cwd, 'mine.onnx'));
      expect(await run({}, 'models', 'import', 'mine.onnx')).toMatchObject({ code: 0 });
      const published = await run({ ...env, LANG: 'en_GB.UTF-8' }, 'models', 'publish', 'mine');
      expect(published.err).toMatch(setting);
    } finally {
      await s3.close();
    }
  },
);

test('PostgreSQL: a wrong password, no such database, nobody there, each with its setting', async () => {
  const url = await postgres.createDatabase();
  const gone = new URL(url);
  gone.pathname = '/nothing';
  const missing = await run({ DATABASE_URL: gone.href, LANG: 'en_GB.UTF-8' }, 'serve');
  expect(missing).toMatchObject({ code: 3 });
  expect(missing.err).toMatch(/no such database.*DATABASE_URL/);
  const nobody = await run(
    { DATABASE_URL: `postgres://a:b@127.0.0.1:${await freePort()}/c`, LANG: 'zh_CN.UTF-8' },
    'serve',
  );
  expect(nobody).toMatchObject({ code: 3 });
  expect(nobody.err).toMatch(/无法连接 PostgreSQL.*DATABASE_URL/);
});

test('a damaged SQLite file: which, and what to do, in both languages', async () => {
  writeFileSync(path.join(cwd, 'x'), '');
  const data = path.join(cwd, '.data');
  const first = await run({}, 'db', 'migrate');
  expect(first).toMatchObject({ code: 0 });
  const name = readdirSync(data).find((one) => /\.(db|sqlite3?)$/.test(one))!;
  writeFileSync(path.join(data, name), 'this is no database, whatever its name says. '.repeat(200));
  const english = await run({ LANG: 'en_GB.UTF-8' }, 'serve');
  expect(english).toMatchObject({ code: 3 });
  expect(english.err).toMatch(/database file is damaged.*put the last backup in its place/);
  const chinese = await run({ LANG: 'zh_CN.UTF-8' }, 'serve');
  expect(chinese.err).toMatch(/数据库文件已损坏.*备份/);
});
