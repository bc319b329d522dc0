import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkModelFile, sniffModelFile } from '../../../src/inference/models/index.js';
import { withLock } from '../../../src/inference/models/lock.js';
import { nearestId } from '../../../src/inference/models/suggest.js';
import {
  ModelBundled,
  ModelDamaged,
  ModelIdInvalid,
  ModelMissing,
  ModelUnfit,
} from '../../../src/studio/errors/index.js';
import { wallClock } from '../../support/quiet.js';
import { sha256, storeBench } from './store-tools.js';

const bench = storeBench();
afterAll(() => bench.close());
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('what a file is, from its first bytes', () => {
  const whole = bench.model();
  const cases: [string, string | Buffer, string][] = [
    ['an ONNX network', whole, 'onnx'],
    ['half a download', whole.subarray(0, whole.length / 2), 'truncated'],
    ['all but the last byte', whole.subarray(0, -1), 'truncated'],
    ['nothing', '', 'empty'],
    ['a web page', '\n <!DOCTYPE html><html></html>', 'html'],
    ['an XML error of a bucket', '<?xml version="1.0"?><Error/>', 'html'],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
      'lfsPointer',
    ],
    ['a zip checkpoint', Buffer.concat([Buffer.from('PK\u0003\u0004'), whole]), 'checkpoint'],
    ['an old checkpoint', Buffer.concat([Buffer.from([0x80, 2, 0x8a]), whole]), 'checkpoint'],
    [
      'safetensors',
      Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}0000')]),
      'safetensors',
    ],
    ['text', 'hello, this is no model', 'unknown'],
    ['noise', Buffer.from('ffd8ffe000104a46', 'hex'), 'unknown'],
    ['zeros', Buffer.alloc(5000), 'unknown'],
  ];
  test.each(cases)('%s', (name, content, kind) => {
    const file = bench.write(`sniff-${name.replaceAll(/\W/g, '-')}`, content);
    expect(sniffModelFile(file)).toBe(kind);
    if (kind === 'onnx') return checkModelFile(file, 'x');
    expect(() => checkModelFile(file, 'x')).toThrow(ModelUnfit);
    expect(() => checkModelFile(file, 'x')).toThrow(/huancai models (pull|convert)/);
  });

  test('any prefix of a model is refused, without reading it whole', () => {
    for (let length = 1; length < whole.length; length += 4_999) {
      const file = bench.write('prefix.onnx', whole.subarray(0, length));
      expect(sniffModelFile(file)).not.toBe('onnx');
    }
  });

  test('a folder and a missing file are missing models', () => {
    expect(() => sniffModelFile(bench.dir)).toThrow(ModelMissing);
    expect(() => sniffModelFile(path.join(bench.dir, 'nothing'))).toThrow(ModelMissing);
  });
});

test('import: copies, records, lists, resolves, verifies, removes', async () => {
  const body = bench.model();
  const file = bench.write('My Model v2.onnx', body);
  const { store, modelsDir } = bench.store([]);
  const result = await store.import(file);
  expect(result).toMatchObject({ id: 'my-model-v2', outcome: 'installed', bytes: body.length });
  expect(result.record?.source).toBe('import');
  expect((await store.import(file)).outcome).toBe('exists');
  expect(store.list().map((model) => model.id)).toEqual(['my-model-v2']);
  expect(await store.resolve('my-model-v2')).toMatchObject({ file: result.file });
  expect((await store.verify('my-model-v2')).sha256).toBe(sha256(body));
  expect(await store.remove('my-model-v2')).toBe(true);
  expect(readdirSync(modelsDir)).toEqual([]);
  expect(readFileSync(file).equals(body)).toBe(true);
});

test("import: a catalog model's file gets its id, whatever it is called", async () => {
  const body = bench.model();
  const entry = bench.entry({
    id: 'ddcolor',
    sha256: sha256(body),
    sources: ['https://example.org/x'],
  });
  const { store } = bench.store([entry]);
  const result = await store.import(bench.write('download(1).onnx', body));
  expect(result).toMatchObject({ id: 'ddcolor', outcome: 'installed' });
  expect(await store.resolve('ddcolor')).toMatchObject({ sizePx: 512 });
  expect((await store.pull('ddcolor')).outcome).toBe('exists');
});

test('import: bad names, taken names and bad files are refused; nothing is left', async () => {
  const entry = bench.entry({
    id: 'taken',
    sha256: '0'.repeat(64),
    sources: ['https://example.org/x'],
  });
  const { store, modelsDir } = bench.store([entry]);
  const good = bench.write('good.onnx', bench.model());
  for (const id of ['../escape', 'Taken', 'taken', '', '.hidden'])
    expect(await failure(store.import(good, { id }))).toBeInstanceOf(ModelIdInvalid);
  const page = bench.write('page.onnx', '<html></html>');
  expect(await failure(store.import(page))).toBeInstanceOf(ModelUnfit);
  for (const file of [`${good}.gone`, path.dirname(good)])
    expect(await failure(store.import(file))).toBeInstanceOf(ModelMissing);
  expect(existsSync(modelsDir) ? readdirSync(modelsDir) : []).toEqual([]);
});

test('verify notices a changed byte; a cut file does not run, and can be removed', async () => {
  const { store } = bench.store([]);
  const { file } = await store.import(bench.write('mine.onnx', bench.model()));
  const bytes = readFileSync(file);
  bytes[bytes.length - 600] = bytes[bytes.length - 600]! ^ 1;
  writeFileSync(file, bytes);
  expect(await failure(store.verify('mine'))).toBeInstanceOf(ModelDamaged);
  writeFileSync(file, bytes.subarray(0, 1000));
  expect(store.list()).toMatchObject([
    { id: 'mine', installed: false, damaged: true, bytes: 1000 },
  ]);
  for (const work of [store.verify('mine'), store.resolve('mine')])
    expect(await failure(work)).toBeInstanceOf(ModelDamaged);
  expect(await store.remove('mine')).toBe(true);
  expect(store.list()).toEqual([]);
});

test('resolve: by path too; what is missing says how to get it', async () => {
  const entry = bench.entry({ id: 'ddcolor-tiny', sources: ['https://example.org/x'] });
  const { store } = bench.store([entry]);
  const file = bench.write('free.onnx', bench.model());
  expect(await store.resolve(file)).toEqual({ id: 'free.onnx', file });
  const messages = await Promise.all(
    ['ddcolor-tiny', 'ddcolor-tini', 'ddcolor', 'zebra', `${file}.gone.onnx`].map(async (id) => {
      const error = await failure(store.resolve(id));
      expect(error).toBeInstanceOf(ModelMissing);
      return (error as ModelMissing).messageKey;
    }),
  );
  expect(messages).toEqual([
    'model.missingPull',
    'model.missingNear',
    'model.missingNear',
    'model.missingUnknown',
    'model.missingFile',
  ]);
  const pth = bench.write('w.pth', Buffer.from('PK\u0003\u0004 and so on'));
  expect(await failure(store.resolve(pth))).toMatchObject({
    messageKey: 'model.unfitFile.checkpoint',
  });
});

test('a name for several models means the best that is here', async () => {
  const entries = ['big', 'small'].map((id) =>
    bench.entry({ id, sources: ['https://example.org/x'], sha256: sha256(Buffer.from(id)) }),
  );
  const aliases = { any: ['big', 'small'] } as const;
  const { store, modelsDir } = bench.store(entries, { aliases });
  expect(await failure(store.resolve('any'))).toMatchObject({ model: 'big' });
  const body = bench.model();
  const pulled = bench.store([{ ...entries[1], sha256: sha256(body) }, entries[0]!], {
    aliases,
    modelsDir,
  }).store;
  await pulled.import(bench.write('small.onnx', body));
  expect(await pulled.resolve('any')).toMatchObject({ id: 'small' });
});

test('a bundled model is there, is checked and stays', async () => {
  const body = bench.model();
  const entry = bench.entry({
    id: 'b',
    bundled: true,
    file: 'b.onnx',
    sha256: sha256(body),
  } as never);
  const { store, catalogFile } = bench.store([entry]);
  expect(await failure(store.resolve('b'))).toMatchObject({ messageKey: 'model.missingBundled' });
  const file = path.join(path.dirname(catalogFile), 'b.onnx');
  copyFileSync(bench.write('b.onnx', body), file);
  expect(await store.resolve('b')).toMatchObject({ id: 'b', file });
  expect((await store.pull('b')).outcome).toBe('exists');
  expect((await store.verify('b')).sha256).toBe(sha256(body));
  expect(await failure(store.remove('b'))).toBeInstanceOf(ModelBundled);
  writeFileSync(file, bench.model());
  expect(await failure(store.verify('b'))).toBeInstanceOf(ModelDamaged);
});

test('the id that was meant', () => {
  const ids = ['starter', 'ddcolor-tiny', 'ddcolor-modelscope'];
  expect(nearestId('stater', ids)).toBe('starter');
  expect(nearestId('modelscope', ids)).toBe('ddcolor-modelscope');
  expect(nearestId('deoldify', ids)).toBeUndefined();
});

describe('lock', () => {
  const clock = wallClock;
  test('of a dead process or an old one is taken over, a living one is waited for', async () => {
    const file = path.join(bench.dir, 'a.lock');
    writeFileSync(file, `${require('node:os').hostname()} 999999999 x`);
    expect(await withLock(file, { clock }, async () => 'mine')).toBe('mine');
    writeFileSync(file, 'elsewhere 1 x');
    const later = { now: () => clock.now() + 60_000 };
    expect(await withLock(file, { clock: later }, async () => 'mine')).toBe('mine');
    expect(existsSync(file)).toBe(false);
    let waited = 0;
    const order: string[] = [];
    const hold = withLock(file, { clock }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      order.push('first');
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const onWait = () => {
      waited += 1;
    };
    await withLock(file, { clock, onWait }, async () => void order.push('second'));
    await hold;
    expect(order).toEqual(['first', 'second']);
    expect(waited).toBe(1);
  });
});
