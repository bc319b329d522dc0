import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PullProgress } from '../../../src/inference/models/index.js';
import {
  Cancelled,
  DiskUnavailable,
  ModelDownloadFailed,
  ModelUnfit,
} from '../../../src/studio/errors/index.js';
import { type Behaviour, startHostileServer } from './hostile-server.js';
import { sha256, storeBench } from './store-tools.js';

const bench = storeBench();
let server: Awaited<ReturnType<typeof startHostileServer>>;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(async () => {
  await server.close();
  bench.close();
});

let count = 0;
/** One catalog model `m` at one address that behaves so. */
function offered(plan: Behaviour[], more: { hash?: boolean; bytes?: boolean } = {}) {
  count += 1;
  const body = bench.model();
  const url = server.put(`/${count}/m.onnx`, body, plan);
  const entry = bench.entry({
    id: 'm',
    sources: [url],
    ...(more.hash === false ? {} : { sha256: sha256(body) }),
    ...(more.bytes === false ? {} : { bytes: body.length }),
  });
  const asked = () => server.requests.filter((request) => url.endsWith(request.url));
  return { body, url, entry, asked };
}

/** Gives a little, then nothing more. */
const broken: Behaviour[] = [
  { kind: 'cut', afterBytes: 100_000 },
  { kind: 'status', status: 404 },
];

const failure = (pulled: Promise<unknown>) => pulled.catch((error: unknown) => error);
const installed = (dir: string) => readFileSync(path.join(dir, 'm.onnx'));

test('downloads, checks, records, leaves nothing else behind', async () => {
  const { body, entry, url } = offered([]);
  const { store, modelsDir } = bench.store([entry]);
  expect(store.info('m').installed).toBe(false);
  const steps: PullProgress[] = [];
  const result = await store.pull('m', { onProgress: (progress) => steps.push(progress) });
  expect(result).toMatchObject({ outcome: 'installed', installed: true, bytes: body.length });
  expect(installed(modelsDir).equals(body)).toBe(true);
  expect(result.record).toMatchObject({ sha256: sha256(body), source: url });
  expect(readdirSync(modelsDir).sort()).toEqual(['m.json', 'm.onnx', 'm.sha256']);
  expect(steps.at(-1)).toEqual({
    step: 'downloading',
    doneBytes: body.length,
    totalBytes: body.length,
  });
  expect((await store.pull('m')).outcome).toBe('exists');
  expect((await store.pull('m', { force: true })).outcome).toBe('installed');
});

test.each([
  ['cut', { kind: 'cut', afterBytes: 100_000 }],
  ['stalled', { kind: 'stall', afterBytes: 100_000 }],
] as const)('%s twice: goes on where it was', async (_name, behaviour) => {
  const { body, entry, asked } = offered([behaviour, behaviour, 'serve']);
  const { store, modelsDir } = bench.store([entry], { stallTimeoutMs: 1_000 });
  await store.pull('m');
  expect(installed(modelsDir).equals(body)).toBe(true);
  const starts = asked().map((request) => Number(/\d+/.exec(request.range ?? '0')?.[0]));
  expect(starts).toHaveLength(3);
  expect(starts[1]).toBeGreaterThan(0);
  expect(starts[2]).toBeGreaterThan(starts[1]!);
  expect(asked()[1]!.ifRange).toMatch(/^"/);
});

test('a later run goes on where a failed one stopped', async () => {
  const { body, entry, asked, url } = offered([{ kind: 'status', status: 503 }]);
  const { store, modelsDir } = bench.store([entry]);
  expect(await failure(store.pull('m'))).toBeInstanceOf(ModelDownloadFailed);
  server.put(new URL(url).pathname, body, broken, '"same"');
  expect(await failure(store.pull('m'))).toBeInstanceOf(ModelDownloadFailed);
  server.put(new URL(url).pathname, body, [], '"same"');
  await store.pull('m');
  expect(asked().at(-1)!.range).toMatch(/^bytes=[1-9]/);
  expect(installed(modelsDir).equals(body)).toBe(true);
});

test('the next mirror goes on where the first one broke', async () => {
  const { body, entry } = offered(broken);
  const second = server.put('/second/m.onnx', body);
  const { store, modelsDir } = bench.store([{ ...entry, sources: [...entry.sources, second] }]);
  const result = await store.pull('m');
  expect(result.record?.source).toBe(second);
  expect(installed(modelsDir).equals(body)).toBe(true);
  const asked = server.requests.filter((request) => request.url === '/second/m.onnx');
  expect(asked[0]!.range).toMatch(/^bytes=[1-9]/);
});

test('a part with wrong bytes from one mirror does not spoil the next', async () => {
  const { body, entry } = offered([{ kind: 'wrongBytes' }]);
  const poisoned = server.put('/poisoned/m.onnx', Buffer.alloc(body.length, 1), broken);
  const good = server.put('/good/m.onnx', body);
  const sources = [poisoned, ...entry.sources, good];
  const { store, modelsDir } = bench.store([{ ...entry, sources }]);
  expect((await store.pull('m')).record?.source).toBe(good);
  expect(installed(modelsDir).equals(body)).toBe(true);
});

test('a server that ignores or garbles ranges: begun again, never joined wrongly', async () => {
  for (const kind of ['ignoreRange', 'otherRange'] as const) {
    const { body, entry } = offered([{ kind: 'cut', afterBytes: 100_000 }, { kind }]);
    const { store, modelsDir } = bench.store([entry]);
    await store.pull('m');
    expect(installed(modelsDir).equals(body)).toBe(true);
  }
});

test('a file that changed meanwhile is begun again', async () => {
  const { entry, asked, url } = offered(broken, { hash: false, bytes: false });
  const { store, modelsDir } = bench.store([entry]);
  expect(await failure(store.pull('m'))).toBeInstanceOf(ModelDownloadFailed);
  const changed = bench.model();
  server.put(new URL(url).pathname, changed, [], '"changed"');
  await store.pull('m');
  expect(installed(modelsDir).equals(changed)).toBe(true);
  expect(asked().length).toBeGreaterThan(1);
});

test.each<[string, Behaviour, RegExp]>([
  ['wrong bytes', { kind: 'wrongBytes' }, /wrong content/],
  ['a shorter length', { kind: 'lieAboutLength', length: 1000 }, /offers 1000 bytes/],
  ['a longer length', { kind: 'lieAboutLength', length: 99_999_999 }, /offers 99999999 bytes/],
  ['a web page', { kind: 'html' }, /web page/],
  ['not found', { kind: 'status', status: 404 }, /HTTP 404/],
  ['trouble', { kind: 'status', status: 500 }, /HTTP 500/],
  ['no end', { kind: 'endless' }, /more bytes than announced/],
  ['a circle', { kind: 'redirect', to: 'm.onnx' }, /redirects/],
  ['another protocol', { kind: 'redirect', to: 'ftp://127.0.0.1/m' }, /only https/],
])('%s: refused, said, nothing installed', async (_name, behaviour, words) => {
  const { entry, url } = offered([behaviour]);
  const { store, modelsDir } = bench.store([entry]);
  const error = await failure(store.pull('m'));
  expect(error).toBeInstanceOf(ModelDownloadFailed);
  expect((error as ModelDownloadFailed).reasons).toHaveLength(1);
  expect((error as ModelDownloadFailed).reasons[0]).toMatch(words);
  expect((error as ModelDownloadFailed).reasons[0]).toContain(new URL(url).pathname);
  expect(existsSync(path.join(modelsDir, 'm.onnx'))).toBe(false);
  expect(store.info('m').installed).toBe(false);
});

test('redirects are followed', async () => {
  const { body, entry, url } = offered([]);
  const moved = server.put('/moved/m.onnx', Buffer.alloc(0), [{ kind: 'redirect', to: url }]);
  const { store, modelsDir } = bench.store([{ ...entry, sources: [moved] }]);
  await store.pull('m');
  expect(installed(modelsDir).equals(body)).toBe(true);
});

test('plain http is refused unless allowed', async () => {
  const { entry, asked } = offered([]);
  const { store } = bench.store([entry], { allowHttp: false });
  expect(String(await failure(store.pull('m')))).toContain('only https');
  expect(asked()).toHaveLength(0);
});

test('a hash nobody published is recorded at the first download and checked ever after', async () => {
  const { entry, url, body } = offered([], { hash: false, bytes: false });
  const { store, modelsDir } = bench.store([entry]);
  await store.pull('m');
  await store.remove('m');
  expect(readFileSync(path.join(modelsDir, 'm.sha256'), 'utf8')).toContain(sha256(body));
  server.put(new URL(url).pathname, bench.model());
  expect(String(await failure(store.pull('m')))).toContain('wrong content');
  server.put(new URL(url).pathname, body);
  expect((await store.pull('m')).outcome).toBe('installed');
});

test('the published beginning of a hash is checked', async () => {
  const { entry, body } = offered([], { hash: false });
  const good = { ...entry, sha256Prefix: sha256(body).slice(0, 8) };
  expect((await bench.store([good]).store.pull('m')).outcome).toBe('installed');
  const bad = { ...entry, sha256Prefix: '01234567' };
  expect(String(await failure(bench.store([bad]).store.pull('m')))).toContain('wrong content');
});

test('what is no network is not installed, even where no hash is known', async () => {
  const { entry, url } = offered([], { hash: false, bytes: false });
  server.put(new URL(url).pathname, Buffer.from('<html>please log in</html>'));
  const { store, modelsDir } = bench.store([entry]);
  expect(await failure(store.pull('m'))).toBeInstanceOf(ModelUnfit);
  expect(readdirSync(modelsDir)).toEqual([]);
});

test("the operator's mirror comes first: the finished model, else a copy of the source", async () => {
  const { entry, body, asked } = offered([]);
  const record = {
    id: 'm',
    sha256: sha256(body),
    bytes: body.length,
    source: 'x',
    installedAt: '2026-01-01',
  };
  server.put('/bucket/m.json', Buffer.from(JSON.stringify(record)));
  server.put('/bucket/m.onnx', body);
  const first = bench.store([entry], { mirrors: [`${server.base}/bucket/`] });
  expect((await first.store.pull('m')).record?.source).toBe(`${server.base}/bucket/m.onnx`);
  server.put('/plain/m.onnx', body);
  const mirrors = [`${server.base}/nothing`, `${server.base}/plain`];
  const second = bench.store([entry], { mirrors });
  expect((await second.store.pull('m')).record?.source).toBe(`${server.base}/plain/m.onnx`);
  expect(asked()).toHaveLength(0);
  const lying = { ...record, sha256: sha256(Buffer.from('other')) };
  server.put('/bucket/m.json', Buffer.from(JSON.stringify(lying)));
  const third = bench.store([entry], { mirrors: [`${server.base}/bucket`] });
  expect((await third.store.pull('m')).record?.sha256).toBe(sha256(body));
});

test('a checkpoint is converted; the record names both hashes', async () => {
  const pth = Buffer.concat([Buffer.from('PK\u0003\u0004'), bench.noise(200_000)]);
  const onnx = bench.model();
  const entry = bench.entry({
    id: 'm',
    file: 'm.pth',
    format: 'pytorch',
    sha256: sha256(pth),
    sources: [server.put('/pth/m.pth', pth)],
  });
  const shares: number[] = [];
  const { store, modelsDir } = bench.store(
    [entry],
    {},
    {
      convert: async (input, output, { onProgress }) => {
        expect(sha256(readFileSync(input))).toBe(sha256(pth));
        onProgress?.(0.5);
        writeFileSync(output, onnx);
      },
    },
  );
  const { record } = await store.pull('m', {
    onProgress: ({ step, share }) => step === 'converting' && shares.push(share!),
  });
  expect(record).toMatchObject({ sha256: sha256(onnx), sourceSha256: sha256(pth) });
  expect(shares).toEqual([0.5]);
  expect(readdirSync(modelsDir).sort()).toEqual(['m.json', 'm.onnx', 'm.sha256']);
  await store.verify('m');
  const without = bench.store([entry]);
  expect(await failure(without.store.pull('m'))).toMatchObject({
    messageKey: 'model.unfitNoConverter',
  });
});

test('a disk without room is noticed before a byte is written', async () => {
  for (const more of [{}, { hash: false, bytes: false }]) {
    const { entry } = offered([], more);
    const { store, modelsDir } = bench.store([entry], { spareBytes: 1e18 });
    const error = await failure(store.pull('m'));
    expect(error).toBeInstanceOf(DiskUnavailable);
    expect(String(error)).toMatch(/MB are needed .* MB are free/);
    expect(readdirSync(modelsDir)).toEqual([]);
  }
});

test('cancelled: what is here is kept, the next run goes on', async () => {
  const { entry, body, asked, url } = offered([{ kind: 'stall', afterBytes: 100_000 }]);
  const { store, modelsDir } = bench.store([entry]);
  const controller = new AbortController();
  const onProgress = ({ doneBytes = 0 }) => doneBytes >= 100_000 && controller.abort();
  const pulled = store.pull('m', { signal: controller.signal, onProgress });
  expect(await failure(pulled)).toBeInstanceOf(Cancelled);
  expect(readdirSync(modelsDir).sort()).toEqual(['m.download.part', 'm.download.part.json']);
  server.put(new URL(url).pathname, body);
  await store.pull('m');
  expect(asked().at(-1)!.range).toMatch(/^bytes=[1-9]/);
});

test('two processes at once: one downloads, the other waits and uses it', async () => {
  const { entry, body, asked } = offered([]);
  const { store, modelsDir, catalogFile } = bench.store([entry]);
  const dist = path.resolve(__dirname, '../../../dist/inference/models/index.js');
  const source = `
    const { createModelStore } = require(${JSON.stringify(dist)});
    const store = createModelStore({ fetch, clock: Date }, ${JSON.stringify({
      bundledDir: modelsDir,
      modelsDir,
      catalogFile,
      allowHttp: true,
    })});
    store.pull('m').then((result) => console.log(result.outcome));`;
  const outcomes = await Promise.all([1, 2, 3].map(() => printed(source)));
  expect(outcomes.sort()).toEqual(['exists', 'exists', 'installed']);
  expect(asked()).toHaveLength(1);
  expect(installed(modelsDir).equals(body)).toBe(true);
  await store.verify('m');
});

function printed(source: string): Promise<string> {
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => child.on('close', () => resolve(text.trim())));
}
