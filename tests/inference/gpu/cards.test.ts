import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createCards } from '../../../src/inference/gpu/cards';
import { parseRocmCards } from '../../../src/inference/gpu/rocm';
import type { CardChange } from '../../../src/studio/ports/cards';
import { emulateCards } from '../../emulators/cards/cards';
import { keepingLogger, wallClock } from '../../support/quiet';
import { until } from '../../support/until';

const fixtures = path.resolve(__dirname, '../../fixtures/gpu');
const rules = { pauseC: 83, resumeBelowC: 10, slowdownMarginC: 10, stopC: 90, holdMs: 0 };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-cards-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function watch(nvidiaSmi: string, more: { rocmSmi?: string; timeoutMs?: number } = {}) {
  const logger = keepingLogger();
  const config = {
    ...rules,
    nvidiaSmi,
    rocmSmi: path.join(folder, 'no-rocm-smi'),
    pollMs: 50,
    timeoutMs: 20_000,
    ...more,
  };
  return { cards: createCards({ clock: wallClock, logger }, config), logger };
}

async function readOnce(fixture: string) {
  const { cards, logger } = watch(emulateCards(folder, fixture).nvidiaSmi);
  await cards.start();
  const status = cards.status();
  await cards.close();
  return { status, logger };
}

test('driver 390: no compute capability, old names, no power on a GTX 1050 Ti', async () => {
  const { status } = await readOnce('390-gtx-1050-ti');
  expect(status).toHaveLength(1);
  const { atMs: _, ...reading } = status[0]!.reading;
  expect(reading).toEqual({
    uuid: 'GPU-1f0c5a3e-7d0b-4c57-9a1e-0a5b6c7d8e90',
    index: 0,
    name: 'GeForce GTX 1050 Ti',
    vendor: 'nvidia',
    driverVersion: '390.157',
    temperatureC: 54,
    slowdownC: 97,
    fanPercent: 37,
    memoryTotalMiB: 4040,
    memoryUsedMiB: 312,
    utilizationPercent: 41,
    thermalSlowdown: false,
  });
  expect(status[0]).toMatchObject({ state: 'working', bounds: { pauseC: 83, stopC: 90 } });
});

test.each([
  ['390-gtx-1060-3gb', { powerW: 101.53, memoryTotalMiB: 3019 }],
  [
    '470-gtx-1060-6gb',
    { powerW: 96.17, memoryTotalMiB: 6078, name: 'NVIDIA GeForce GTX 1060 6GB' },
  ],
  ['550-gtx-1650', { powerW: 48.9, memoryTotalMiB: 4096, computeCapability: '7.5' }],
])('%s', async (fixture, expected) => {
  const { status } = await readOnce(fixture);
  expect(status[0]!.reading).toMatchObject({ ...expected, thermalSlowdown: false });
});

test('two cards: the one whose driver slows it down pauses, the other works', async () => {
  const { cards } = watch(emulateCards(folder, '470-two-cards').nvidiaSmi);
  await cards.start();
  expect(cards.status().map((card) => card.state)).toEqual(['paused', 'working']);
  expect(cards.status()[0]).toMatchObject({ reason: 'slowdown' });
  expect([cards.mayWork(0), cards.mayWork(1), cards.mayWork(7)]).toEqual([false, true, true]);
  await cards.close();
});

test('a mixed box: a card that answers with errors is listed, a P40 has lower bounds', async () => {
  const { status } = await readOnce('550-mixed');
  const [first, broken, tesla] = status.map((card) => card.reading);
  expect(first).toMatchObject({ computeCapability: '6.1', temperatureC: 69 });
  expect(broken).toMatchObject({ name: 'NVIDIA GeForce GTX 1650', computeCapability: '7.5' });
  expect(broken).not.toHaveProperty('temperatureC');
  expect(broken).not.toHaveProperty('memoryTotalMiB');
  expect(tesla).toMatchObject({ slowdownC: 92, thermalSlowdown: true, memoryTotalMiB: 23040 });
  expect(status[2]).toMatchObject({ state: 'paused', bounds: { pauseC: 82, resumeC: 72 } });
});

test('heat, stop, cooling: states change and are told with the temperature', async () => {
  const box = emulateCards(folder, '550-gtx-1650');
  const { cards, logger } = watch(box.nvidiaSmi);
  const changes: CardChange[] = [];
  cards.onChange((change) => changes.push(change));
  let readings = 0;
  cards.onReading(() => {
    readings += 1;
  });
  await cards.start();
  box.heat(85);
  await until(() => cards.status()[0]!.state === 'paused');
  box.heat(91);
  await until(() => cards.status()[0]!.state === 'stopped');
  expect(cards.mayWork(0)).toBe(false);
  box.heat(60);
  await until(() => cards.status()[0]!.state === 'working');
  await cards.close();
  expect(
    changes.map(({ from, status }) => [from, status.state, status.reading.temperatureC]),
  ).toEqual([
    ['working', 'paused', 85],
    ['paused', 'stopped', 91],
    ['stopped', 'working', 60],
  ]);
  expect(cards.status()[0]!.pauses).toBe(1);
  expect(readings).toBeGreaterThan(3);
  expect(logger.lines.map((one) => one.event)).toEqual([
    ...['card.paused', 'card.stopped', 'card.working'],
  ]);
});

test.each(['driver', 'noCards', 'mismatch'] as const)(
  'a driver that vanishes while it is watched (%s): its card takes no work until it is back',
  async (trouble) => {
    const box = emulateCards(folder, '550-gtx-1650');
    const { cards, logger } = watch(box.nvidiaSmi);
    await cards.start();
    expect(cards.mayWork(0)).toBe(true);
    box.set((it) => {
      it.trouble = trouble;
    });
    await until(() => cards.status()[0]!.state === 'unknown');
    expect(cards.status()[0]!.reason).toBe('silent');
    expect(cards.mayWork(0)).toBe(false);
    box.set((it) => {
      delete it.trouble;
    });
    await until(() => cards.mayWork(0));
    await cards.close();
    const events = logger.lines.map((one) => one.event);
    expect(events.filter((one) => one === 'cards.unreadable')).toHaveLength(1);
    expect(events).toContain('cards.readable');
  },
);

test('a driver that hangs is given up, is not started twice, and its card takes no work', async () => {
  const box = emulateCards(folder, '550-gtx-1650');
  const { cards } = watch(box.nvidiaSmi, { timeoutMs: 3_000 });
  await cards.start();
  box.set((it) => {
    it.trouble = 'hangs';
  });
  await until(() => cards.status()[0]!.state === 'unknown', 40_000);
  box.set((it) => {
    delete it.trouble;
  });
  await until(() => cards.mayWork(0));
  await cards.close();
});

test('a card that falls off the bus is lost alone', async () => {
  const box = emulateCards(folder, '470-two-cards');
  const { cards } = watch(box.nvidiaSmi);
  await cards.start();
  box.set(({ cards: all }) => {
    all[0]!['lost'] = 'yes';
  });
  await until(() => cards.status()[0]!.state === 'unknown');
  expect(cards.status()[1]).toMatchObject({ state: 'working', reading: { index: 1 } });
  expect([cards.mayWork(0), cards.mayWork(1)]).toEqual([false, true]);
  await cards.close();
});

test('no driver, no cards, a program that is none: nothing to watch, work goes on', async () => {
  const notExecutable = path.join(folder, 'text');
  writeFileSync(notExecutable, 'hello');
  const nonsense = path.join(folder, 'nonsense');
  writeFileSync(nonsense, '#!/bin/sh\necho "a, b"\nexit 3\n');
  chmodSync(nonsense, 0o755);
  for (const file of [path.join(folder, 'absent'), notExecutable, nonsense]) {
    const { cards } = watch(file);
    await cards.start();
    expect(cards.status()).toEqual([]);
    expect(cards.mayWork(0)).toBe(true);
    await cards.close();
  }
});

test('rocm-smi: AMD cards stand behind NVIDIA ones', async () => {
  const rocmSmi = path.join(folder, 'rocm-smi');
  const fixture = path.join(fixtures, 'rocm-rx-580.json');
  writeFileSync(rocmSmi, `#!/bin/sh\ncat '${fixture}'\n`, { mode: 0o755 });
  const { cards } = watch(emulateCards(folder, '550-gtx-1650').nvidiaSmi, { rocmSmi });
  await cards.start();
  expect(cards.status().map((card) => card.reading.index)).toEqual([0, 1]);
  expect(cards.status()[1]!.reading).toMatchObject({
    ...{ uuid: '0x7c8f1a2b3c4d5e6f', vendor: 'amd', driverVersion: '5.18.13' },
    ...{ temperatureC: 67, fanPercent: 40, powerW: 112, utilizationPercent: 87 },
    ...{ memoryTotalMiB: 8192, memoryUsedMiB: 2048 },
  });
  await cards.close();
});

test('rocm-smi of another release, with a warning before its JSON', () => {
  const text = readFileSync(path.join(fixtures, 'rocm-new.txt'), 'utf8');
  const [first, second] = parseRocmCards(text, 1);
  expect(first).toMatchObject({ uuid: 'amd-0', name: 'AMD Radeon RX 6600', powerW: 21 });
  expect(first).not.toHaveProperty('fanPercent');
  expect(second).toMatchObject({ index: 1, temperatureC: 48, memoryTotalMiB: 512 });
  expect(parseRocmCards('no GPUs here', 1)).toEqual([]);
  expect(parseRocmCards('{"card0": ', 1)).toEqual([]);
});
