import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ModelUnfit } from '../../../src/studio/errors/index.js';
import { bakedInNet, classifierNet, colourNet, writeNetwork } from '../../support/onnx-builder.js';
import { deviation, hostBench, ramp } from './host-tools.js';

const bench = hostBench();
const { host } = bench.host();
afterAll(() => bench.close());

async function refusal(file: string): Promise<ModelUnfit> {
  const error = await host.describe(file, 'mine').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ModelUnfit);
  return error as ModelUnfit;
}

test('the bundled model fits and takes any size', async () => {
  const starter = path.resolve(__dirname, '../../../models/starter/starter.onnx');
  const contract = await host.describe(starter, 'starter');
  expect(contract).toMatchObject({ dtype: 'float32', provider: 'cpu', notes: [] });
  expect(contract.fixed).toBeUndefined();
  const answer = await host.predict({ ...ramp(starter, 96, 128), modelId: 'starter' });
  expect(answer.ab.every((value) => Number.isFinite(value) && Math.abs(value) < 128)).toBe(true);
});

test('a graph of fixed size says which, and refuses another', async () => {
  const net = colourNet(bench.file('fixed.onnx'), { sizePx: 128 });
  expect((await host.describe(net, 'fixed')).fixed).toEqual({ widthPx: 128, heightPx: 128 });
  const request = ramp(net, 128);
  expect(deviation(await host.predict(request), request.tensor)).toBeLessThan(1e-4);
  await expect(host.predict(ramp(net, 64))).rejects.toThrow(/128x128 px.*found 64x64/);
});

test('a size baked into a graph that claims any size is found by trying', async () => {
  const net = bakedInNet(bench.file('baked.onnx'));
  expect((await host.describe(net, 'baked')).fixed).toEqual({ widthPx: 256, heightPx: 256 });
});

test('another network is refused, naming what was expected and found', async () => {
  const error = await refusal(classifierNet(bench.file('classifier.onnx')));
  expect(error.expected).toContain('[1,3,H,W]');
  expect(error.found).toBe('image float32 [1,3,224,224] -> scores float32 [1,3,1,1]');
  expect(error.expected).toContain('huancai models pull');
});

test('two inputs, RGB out, a batch of eight, another size out: refused', async () => {
  const input = { name: 'input', shape: [1, 3, 64, 64] };
  const output = { name: 'output', shape: [1, 2, 64, 64] };
  const pass = { op: 'Identity', inputs: ['input'], outputs: ['output'] };
  const weights = { w: { shape: [2, 3, 1, 1], data: new Float32Array(6) } };
  const conv = { op: 'Conv', inputs: ['input', 'w'], outputs: ['output'] };
  const write = (name: string, parts: Partial<Parameters<typeof writeNetwork>[1]>) =>
    writeNetwork(bench.file(name), { inputs: [input], outputs: [output], nodes: [conv], ...parts });

  const second = { name: 'mask', shape: [1, 1, 64, 64] };
  const two = write('two.onnx', { inputs: [input, second], weights });
  expect((await refusal(two)).found).toContain('mask');
  const rgb = write('rgb.onnx', { outputs: [{ ...output, shape: [1, 3, 64, 64] }], nodes: [pass] });
  expect((await refusal(rgb)).found).toContain('[1,3,64,64]');
  const eight = { name: 'input', shape: [8, 3, 64, 64] };
  expect((await refusal(write('eight.onnx', { inputs: [eight], weights }))).found).toContain('[8,');
  const halved = write('halved.onnx', {
    inputs: [{ name: 'input', shape: [1, 3, 'h', 'w'] }],
    outputs: [{ name: 'output', shape: [1, 2, 'h2', 'w2'] }],
    nodes: [{ ...conv, ints: { strides: [2, 2] } }],
    weights,
  });
  expect((await refusal(halved)).found).toContain('[1,2,32,32]');
});

test('an operator the runtime does not know is a model that does not fit', async () => {
  const net = writeNetwork(bench.file('unknown-op.onnx'), {
    inputs: [{ name: 'input', shape: [1, 3, 64, 64] }],
    outputs: [{ name: 'output', shape: [1, 2, 64, 64] }],
    nodes: [{ op: 'Colourise', inputs: ['input'], outputs: ['output'] }],
  });
  expect((await refusal(net)).found).toContain('Colourise');
});

test('no ONNX file: refused before a process starts', async () => {
  const fresh = bench.host();
  const file = bench.file('page.onnx');
  writeFileSync(file, '<!DOCTYPE html><html><body>Please log in</body></html>');
  const error = await fresh.host.describe(file, 'page').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'MODEL_UNFIT', messageKey: 'model.unfitFile.html' });
  expect(fresh.events).toEqual([]);
});

test('an ONNX frame with a broken graph inside is refused', async () => {
  const file = bench.file('broken.onnx');
  const inner = Buffer.from('this is not a graph at all');
  writeFileSync(file, Buffer.concat([Buffer.from([0x08, 8, 0x3a, inner.length]), inner]));
  await refusal(file);
});

test('a provider that is not there: the next one, with a note that says what to do', async () => {
  const net = colourNet(bench.file('providers.onnx'));
  const gpu = bench.host({ providers: ['DirectML', 'cuda', 'cpu'] });
  const contract = await gpu.host.describe(net, 'net');
  expect(contract.provider).toBe('cpu');
  const providers = contract.notes.map((note) => note.params?.['provider']);
  expect(providers).toEqual(['dml', 'cuda']);
  for (const note of contract.notes) expect(note.key).toMatch(/^inference\.provider\./);
  expect(gpu.events.filter((event) => event.name === 'providerFallback')).toHaveLength(2);
  expect((await gpu.host.predict(ramp(net, 64))).notes).toEqual(contract.notes);
});
