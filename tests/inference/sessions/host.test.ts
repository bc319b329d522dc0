import { copyFileSync } from 'node:fs';
import { InferenceFailed, ModelMissing } from '../../../src/studio/errors/index.js';
import { colourNet } from '../../support/onnx-builder.js';
import { until } from '../../support/until.js';
import { deviation, hostBench, ramp } from './host-tools.js';

const bench = hostBench();
const net = colourNet(bench.file('any-size.onnx'));
afterAll(() => bench.close());

test('answers what the network answers, at any size, without touching the tensor', async () => {
  const { host } = bench.host();
  for (const [width, height] of [
    [64, 64],
    [96, 160],
    [256, 256],
  ] as const) {
    const request = ramp(net, width, height);
    const answer = await host.predict(request);
    expect(answer.ab).toHaveLength(2 * width * height);
    expect(deviation(answer, request.tensor)).toBeLessThan(1e-4);
    expect(answer).toMatchObject({ widthPx: width, heightPx: height, provider: 'cpu', notes: [] });
    expect(answer.meanChroma).toBeGreaterThan(20);
    expect(request.tensor).toHaveLength(3 * width * height);
  }
});

test('passes three different planes as they are', async () => {
  const { host } = bench.host();
  const request = ramp(net, 64);
  const green = request.tensor.subarray(64 * 64, 2 * 64 * 64).fill(0.25);
  const { ab } = await host.predict(request);
  expect(green[0]).toBe(0.25);
  expect(ab[64 * 64 + 7]).toBeCloseTo(-10, 4);
});

test('the caller may reuse its buffer at once, and requests are served in order', async () => {
  const { host } = bench.host();
  const request = ramp(net, 64);
  const order: number[] = [];
  const answers = [0.1, 0.5, 0.9].map((value, i) => {
    request.tensor.fill(value);
    return host.predict(request).then((answer) => {
      order.push(i);
      return answer.ab[0];
    });
  });
  expect(host.status()).toMatchObject({ running: true, queued: 2 });
  const firsts = await Promise.all(answers);
  expect(order).toEqual([0, 1, 2]);
  firsts.forEach((a, i) => {
    expect(a).toBeCloseTo(40 * [0.1, 0.5, 0.9][i]! + 5, 4);
  });
});

test('16-bit graphs give what 32-bit graphs give, to half precision', async () => {
  const { host } = bench.host();
  const half = colourNet(bench.file('half.onnx'), { type: 'float16' });
  const request = ramp(half, 96, 64);
  expect((await host.describe(half, 'half')).dtype).toBe('float16');
  expect(deviation(await host.predict(request), request.tensor)).toBeLessThan(0.05);
});

test('keeps the model warm, switches models, notices a replaced file', async () => {
  const { host, events } = bench.host();
  const other = colourNet(bench.file('other.onnx'), { gain: 10 });
  const loads = () => events.filter((event) => event.name === 'loaded').length;
  await host.predict(ramp(net, 64));
  await host.predict(ramp(net, 128));
  expect(loads()).toBe(1);
  const request = ramp(other, 64);
  expect(deviation(await host.predict(request), request.tensor, 10)).toBeLessThan(1e-4);
  expect(loads()).toBe(2);
  copyFileSync(colourNet(bench.file('new.onnx'), { gain: 20, layers: 1 }), other);
  expect(deviation(await host.predict(request), request.tensor, 20)).toBeLessThan(1e-4);
  expect(events.filter((event) => event.name === 'started')).toHaveLength(1);
});

test('describes a proven model again without a turn in the queue', async () => {
  const { host } = bench.host();
  const slow = colourNet(bench.file('slow-describe.onnx'), { layers: 10, channels: 32 });
  const contract = await host.describe(slow, 'slow');
  expect(contract).toMatchObject({ inputName: 'input', outputName: 'output', provider: 'cpu' });
  expect(contract.fixed).toBeUndefined();
  let done = false;
  const running = host.predict(ramp(slow, 512)).then(() => {
    done = true;
  });
  expect(await host.describe(slow, 'slow')).toEqual(contract);
  expect(done).toBe(false);
  await running;
});

test('ends the child when idle and starts it again when needed', async () => {
  const { host, events } = bench.host({ idleUnloadMs: 50 });
  await host.predict(ramp(net, 64));
  const { pid, rssBytes } = host.status();
  expect(rssBytes).toBeGreaterThan(20e6);
  await until(() => host.status().pid === undefined);
  expect(() => process.kill(pid!, 0)).toThrow();
  expect(events.map((event) => event.name)).toContain('idleUnload');
  expect(host.status().restarts).toBe(0);
  expect((await host.predict(ramp(net, 64))).notes).toEqual([]);
});

test('close serves what is queued, then refuses, and leaves no process', async () => {
  const { host } = bench.host();
  const queued = [1, 2, 3].map(() => host.predict(ramp(net, 64)));
  await host.predict(ramp(net, 64));
  const { pid } = host.status();
  await host.close();
  expect(await Promise.all(queued)).toHaveLength(3);
  expect(() => process.kill(pid!, 0)).toThrow();
  await expect(host.predict(ramp(net, 64))).rejects.toBeInstanceOf(InferenceFailed);
  await host.close();
});

test('close is bounded: a long run is ended', async () => {
  const { host } = bench.host({ closeTimeoutMs: 200 });
  const slow = colourNet(bench.file('slow-close.onnx'), { layers: 60, channels: 64 });
  const running = host.predict(ramp(slow, 1024)).catch((error: Error) => error);
  await until(() => host.status().loadedModel === 'net');
  await host.close();
  expect(await running).toBeInstanceOf(InferenceFailed);
  expect(host.status().pid).toBeUndefined();
});

test('a full queue and a missing file are refused', async () => {
  const { host } = bench.host({ maxQueued: 1 });
  const running = host.predict(ramp(net, 64));
  const waiting = host.predict(ramp(net, 64));
  await expect(host.predict(ramp(net, 64))).rejects.toBeInstanceOf(InferenceFailed);
  await Promise.all([running, waiting]);
  const gone = bench.file('gone.onnx');
  await expect(host.predict(ramp(gone, 64))).rejects.toBeInstanceOf(ModelMissing);
});
