import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { HostEvent } from '../../../src/inference/sessions/index.js';
import {
  Cancelled,
  InferenceFailed,
  InferenceOutOfMemory,
} from '../../../src/studio/errors/index.js';
import { colourNet, nanNet } from '../../support/onnx-builder.js';
import { until } from '../../support/until.js';
import { deviation, hostBench, ramp } from './host-tools.js';

const bench = hostBench();
const quick = colourNet(bench.file('quick.onnx'));
/** Hundreds of milliseconds at 512 px on one thread. */
const slow = colourNet(bench.file('slow.onnx'), { layers: 12, channels: 48 });
afterAll(() => bench.close());

const named = (events: HostEvent[], name: HostEvent['name']) =>
  events.filter((event) => event.name === name);

test.each(['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const)(
  'a child ended by %s costs one retry and nothing else',
  async (signal) => {
    const { host, events } = bench.host();
    await host.describe(slow, 'slow');
    const request = ramp(slow, 512);
    const running = host.predict(request);
    const pid = host.status().pid!;
    setTimeout(() => process.kill(pid, signal), 100);
    const answer = await running;
    expect(deviation(answer, request.tensor)).toBeLessThan(1e-4);
    expect(answer.widthPx).toBe(512);
    expect(answer.notes).toEqual([{ key: 'inference.retriedAfterCrash' }]);
    expect(named(events, 'exited')).toMatchObject([{ pid, signal, expected: false }]);
    expect(host.status()).toMatchObject({ restarts: 1 });
    expect(host.status().pid).not.toBe(pid);
  },
);

test('a request that ends two children fails; the next one works', async () => {
  let kills = 2;
  const { host } = bench.host({}, (event) => {
    if (event.name === 'loaded' && kills > 0) {
      kills -= 1;
      const { pid } = host.status();
      setTimeout(() => process.kill(pid!, 'SIGSEGV'), 50);
    }
  });
  const failing = host.predict(ramp(slow, 512));
  const next = host.predict(ramp(quick, 64));
  await expect(failing).rejects.toMatchObject({ code: 'INFERENCE_FAILED', retry: 'later' });
  expect((await next).provider).toBe('cpu');
});

test('a provider whose driver takes the child down is left out from then on', async () => {
  const { host, events } = bench.host({ providers: ['webgpu', 'cpu'] }, (event) => {
    if (event.name === 'loading' && event.provider === 'webgpu') process.kill(event.pid, 'SIGSEGV');
  });
  const first = await host.predict(ramp(quick, 64));
  expect(first.provider).toBe('cpu');
  expect(first.notes).toMatchObject([
    { key: 'inference.provider.crashed', params: { provider: 'webgpu' } },
  ]);
  await host.predict(ramp(slow, 64));
  const touched = events.flatMap((event) => (event.name === 'loading' ? [event.provider] : []));
  expect(touched).toEqual(['webgpu', 'cpu', 'cpu']);
});

test('a child killed again and again is refused for a while instead of restarted', async () => {
  const { host, events } = bench.host({ maxRestarts: 3 }, (event) => {
    if (event.name === 'started') process.kill(event.pid, 'SIGSEGV');
  });
  for (let i = 0; i < 4; i += 1)
    await expect(host.predict(ramp(quick, 64))).rejects.toBeInstanceOf(InferenceFailed);
  expect(host.status().pausing).toBe(true);
  expect(named(events, 'started')).toHaveLength(3);
});

test('killed twice by SIGKILL: taken for a lack of memory, one size down', async () => {
  let kills = 2;
  const { host, events } = bench.host({}, (event) => {
    if (event.name === 'loaded' && kills > 0) {
      kills -= 1;
      const { pid } = host.status();
      setTimeout(() => process.kill(pid!, 'SIGKILL'), 50);
    }
  });
  const answer = await host.predict(ramp(slow, 512, 256));
  expect(answer).toMatchObject({ widthPx: 384, heightPx: 192 });
  expect(answer.ab).toHaveLength(2 * 384 * 192);
  expect(answer.notes.map((note) => note.key)).toEqual([
    'inference.retriedAfterCrash',
    'inference.sizeSteppedDown',
  ]);
  expect(named(events, 'outOfMemory')).toEqual([
    { name: 'outOfMemory', provider: 'cpu', sizePx: 512 },
  ]);
});

describe('with a real limit on memory', () => {
  /** Its largest tensors take 268 MB at 1024 px and 151 at 768; the arena rounds up generously. */
  const size = { layers: 2, channels: 64 };
  const hungry = colourNet(bench.file('hungry.onnx'), size);
  /** A child that has just started still maps this and that, though nothing was asked of it yet. */
  const settledBytes = (pid: number): number => {
    let before = -1;
    for (;;) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const bytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
      if (bytes === before) return bytes;
      before = bytes;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    }
  };
  /** Each child may take so much more than it has when it starts. */
  const limited = (extraBytes: number) => (event: HostEvent) => {
    if (event.name !== 'started') return;
    const nowBytes = settledBytes(event.pid);
    execFileSync('prlimit', [`--pid=${event.pid}`, `--as=${nowBytes + extraBytes}`]);
  };

  test('steps down, says so, and starts there the next time', async () => {
    const { host, events } = bench.host({}, limited(560e6));
    const request = ramp(hungry, 1024);
    const first = await host.predict(request);
    // One step or two: how much address space the threads have reserved is a matter of luck.
    const steps = [768, 576].indexOf(first.widthPx) + 1;
    expect(steps).toBeGreaterThan(0);
    const to = `${first.widthPx}x${first.widthPx}`;
    expect(first.notes).toEqual([
      { key: 'inference.sizeSteppedDown', params: { from: '1024x1024', to } },
    ]);
    expect(first.ab[0]).toBeCloseTo(5, 1);
    expect(named(events, 'outOfMemory')).toHaveLength(steps);
    const second = await host.predict(request);
    expect(second.widthPx).toBe(first.widthPx);
    expect(named(events, 'outOfMemory')).toHaveLength(steps);
    expect((await host.predict(ramp(hungry, 256))).widthPx).toBe(256);
  });

  test('gives up with a typed error when no smaller size fits', async () => {
    const { host } = bench.host({}, limited(150e6));
    const error = await host.predict(ramp(hungry, 1024)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InferenceOutOfMemory);
    expect(error).toMatchObject({ retry: 'smaller', provider: 'cpu' });
    expect((await host.predict(ramp(quick, 64))).widthPx).toBe(64);
  });
});

describe('a lack of memory that looks like something else', () => {
  /** As `ulimit -v` would, with so much room that nothing is really short. */
  const limit = (pid: number) => execFileSync('prlimit', [`--pid=${pid}`, `--as=${64e9}`]);

  test.each(['SIGSEGV', 'SIGABRT', 'SIGBUS'] as const)(
    'ended twice by %s under a limit of memory: one size down',
    async (signal) => {
      let ends = 2;
      const { host, events } = bench.host({}, (event) => {
        if (event.name === 'started') limit(event.pid);
        if (event.name !== 'loaded' || ends === 0) return;
        ends -= 1;
        const { pid } = host.status();
        setTimeout(() => process.kill(pid!, signal), 50);
      });
      const answer = await host.predict(ramp(slow, 512, 256));
      expect(answer).toMatchObject({ widthPx: 384, heightPx: 192 });
      expect(named(events, 'outOfMemory')).toHaveLength(1);
    },
  );

  test('no answer at all under a limit of memory: a smaller size has one', async () => {
    const { host, events } = bench.host({ runTimeoutMs: 4_000 }, (event) => {
      if (event.name === 'started') limit(event.pid);
      if (event.name !== 'loaded' || named(events, 'timedOut').length > 0) return;
      process.kill(host.status().pid!, 'SIGSTOP');
    });
    expect(await host.predict(ramp(quick, 512))).toMatchObject({ widthPx: 384, heightPx: 384 });
    expect(named(events, 'outOfMemory')).toHaveLength(1);
  });
});

test('a run beyond its time is ended and reported', async () => {
  const { host, events } = bench.host({ runTimeoutMs: 150 });
  const error = await host.predict(ramp(slow, 1024)).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InferenceFailed);
  expect(String(error)).toContain('no answer within');
  expect(named(events, 'timedOut')).toHaveLength(1);
  expect((await host.predict(ramp(quick, 64))).provider).toBe('cpu');
});

test('cancelled while waiting: never run', async () => {
  const { host } = bench.host();
  const running = host.predict(ramp(slow, 256));
  const controller = new AbortController();
  const waiting = host.predict(ramp(quick, 64), { signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toBeInstanceOf(Cancelled);
  expect(host.status().queued).toBe(0);
  await running;
  const late = host.predict(ramp(quick, 64), { signal: controller.signal });
  await expect(late).rejects.toBeInstanceOf(Cancelled);
});

test('cancelled while running: the caller is free at once, the model stays warm', async () => {
  const { host, events } = bench.host({ cancelGraceMs: 60_000 });
  await host.describe(slow, 'slow');
  const { pid } = host.status();
  const controller = new AbortController();
  const running = host.predict(ramp(slow, 512), { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await expect(running).rejects.toBeInstanceOf(Cancelled);
  expect(host.status().running).toBe(true);
  await host.predict(ramp(slow, 64));
  expect(host.status().pid).toBe(pid);
  expect(named(events, 'loaded')).toHaveLength(1);
});

test('cancelled in a long run: the child is ended after the grace, not after the run', async () => {
  const { host, events } = bench.host({ cancelGraceMs: 100 });
  await host.describe(slow, 'slow');
  const { pid } = host.status();
  const controller = new AbortController();
  const running = host.predict(ramp(slow, 2048), { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await expect(running).rejects.toBeInstanceOf(Cancelled);
  await until(() => named(events, 'exited').length === 1);
  expect(named(events, 'exited')).toMatchObject([{ pid, expected: true }]);
  expect((await host.predict(ramp(quick, 64))).notes).toEqual([]);
});

test('signals of the terminal do not end the child', async () => {
  const { host, events } = bench.host();
  await host.describe(quick, 'quick');
  const { pid } = host.status();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid!, signal);
  await host.predict(ramp(quick, 64));
  expect(host.status().pid).toBe(pid);
  expect(named(events, 'exited')).toHaveLength(0);
});

test('an answer without colour is said to be one', async () => {
  const { host } = bench.host();
  const grey = colourNet(bench.file('grey.onnx'), { gain: 0 });
  const { notes } = await host.predict(ramp(grey, 64));
  expect(notes).toEqual([{ key: 'inference.nearlyGrey', params: { meanChroma: 0 } }]);
});

test('an answer that is not a number is an error, never a picture', async () => {
  const { host } = bench.host();
  const request = ramp(nanNet(bench.file('nan.onnx')), 64);
  await expect(host.predict(request)).rejects.toThrow(/NaN/);
});
