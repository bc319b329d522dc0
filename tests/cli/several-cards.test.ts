import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { firstDevice, usableDevices } from '../../src/cli/cards';
import { createCards, noCards } from '../../src/inference/gpu/cards';
import { type EmulatedCards, emulateCards, watching } from '../emulators/cards/cards';
import { type CliRun, runCli, startCli } from '../support/cli';
import { wallClock } from '../support/quiet';

// One run over two cards that are emulated, with one real inference process for each.
jest.setTimeout(900_000);
const demo = path.resolve(__dirname, '../../assets/demo/photographer.jpg');

let dir: string;
let box: EmulatedCards;
const running: CliRun[] = [];
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-several-'));
  box = emulateCards(dir, '470-two-cards');
  box.set(({ cards }) => {
    cards[0]!['clocks_throttle_reasons.sw_thermal_slowdown'] = 'Not Active';
  });
  box.heat(60, 0);
  box.heat(60, 1);
  mkdirSync(path.join(dir, 'scans'));
  for (const name of ['a', 'b', 'c', 'd']) cpSync(demo, path.join(dir, 'scans', `${name}.jpg`));
});
afterEach(() => {
  for (const one of running.splice(0)) one.child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const guarded = (more: Record<string, string> = {}) => ({
  ...watching(box),
  HUANCAI_INFERENCE_DEVICE_ID: '[0, 1]',
  HUANCAI_INFERENCE_THREADS: '1',
  ...more,
});
const args = ['colorize', 'scans', '-o', 'colour', '--json', '--manifest', 'colour/archive'];

interface Line {
  readonly provider: string;
  readonly card: string | null;
  readonly cardId: string | null;
}

function manifest(): Line[] {
  const lines = readFileSync(path.join(dir, 'colour', 'archive.jsonl'), 'utf8');
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('both cards colour, and the manifest names them; where none can be used, the processor does it all', async () => {
  const patient = {
    HUANCAI_INFERENCE_PROVIDERS: '[webgpu, cpu]',
    HUANCAI_INFERENCE_START_TIMEOUT_MS: '400000',
    HUANCAI_INFERENCE_RUN_TIMEOUT_MS: '400000',
  };
  const { code, records } = await runCli(args, { cwd: dir, env: guarded(patient) });
  expect(code).toBe(0);
  const lines = manifest();
  expect(lines).toHaveLength(4);
  if (lines.some(({ provider }) => provider === 'webgpu')) {
    const named = new Map(lines.map(({ card, cardId }) => [card, cardId]));
    expect([...named].sort()).toEqual([
      ['NVIDIA GeForce GTX 1050 Ti', 'GPU-1f0c5a3e-7d0b-4c57-9a1e-0a5b6c7d8e90'],
      ['NVIDIA GeForce GTX 1060 6GB', 'GPU-3b2e7c50-9f2d-4e79-9c30-2c7d8e9fa0b2'],
    ]);
    const photos = records().filter(({ type }) => type === 'photo');
    for (const one of photos) expect([...named.keys()]).toContain(one['card']);
  } else {
    // ./check sets this where it has installed a driver that works.
    expect(process.env['HUANCAI_EXPECT_WEBGPU']).toBeUndefined();
    for (const { provider, card } of lines) expect([provider, card]).toEqual(['cpu', null]);
    const out = records().filter(({ type }) => type === 'cardLeftOut');
    expect(out).toMatchObject([{ reason: 'fellBack' }]);
  }
});

test('two processes for two cards; for a hot one none, and nobody waits for it', async () => {
  const both = startCli(args, { cwd: dir, env: guarded() });
  running.push(both);
  expect(await mostChildren(both)).toBe(2);
  rmSync(path.join(dir, 'colour'), { recursive: true });
  box.heat(88, 0);
  const one = startCli(
    args.filter((word) => word !== '--json'),
    { cwd: dir, env: guarded() },
  );
  running.push(one);
  expect(await mostChildren(one)).toBe(1);
  const { code, err } = await one.ended;
  expect(code).toBe(0);
  expect(err).not.toContain('rest');
  expect(manifest()).toHaveLength(4);
});

test('when all rest it says so once, names them, and goes on with the first that has cooled', async () => {
  box.heat(88, 0);
  box.heat(86, 1);
  const run = startCli(['colorize', 'scans', '-o', 'colour', '--lang', 'zh-CN'], {
    cwd: dir,
    env: guarded(),
  });
  running.push(run);
  await run.shows('所有显卡都在休息（NVIDIA GeForce GTX 1060 6GB 88 °C');
  box.heat(60, 1);
  const { code, err } = await run.ended;
  expect(code).toBe(0);
  expect(err.match(/所有显卡都在休息/g)).toHaveLength(1);
});

test('a list that is none is refused with an example', async () => {
  const env = guarded({ HUANCAI_INFERENCE_DEVICE_ID: '0 and 1' });
  const { code, err } = await runCli(args.slice(0, 4), { cwd: dir, env });
  expect(code).toBe(3);
  expect(err).toContain('HUANCAI_INFERENCE_DEVICE_ID');
  expect(err).toContain('[0, 1]');
});

test('a run spreads over what the settings name, else over what CUDA can use', async () => {
  const cards = createCards(
    { clock: wallClock },
    {
      ...{ pauseC: 83, resumeBelowC: 10, slowdownMarginC: 10, stopC: 90, holdMs: 0 },
      ...{ nvidiaSmi: box.nvidiaSmi, rocmSmi: path.join(dir, 'none') },
      ...{ pollMs: 60_000, timeoutMs: 10_000 },
    },
  );
  const ask = (
    deviceId: number | number[] | null,
    providers: string[],
    env: Record<string, string> = {},
  ) => {
    const inference = { deviceId, providers };
    const config = { inference, gpu: { watch: 'auto' } } as unknown as Parameters<
      typeof usableDevices
    >[0]['config'];
    return usableDevices({ config, env }, cards);
  };
  expect(await ask(null, ['cuda', 'cpu'])).toEqual([0, 1]);
  expect(await ask(1, ['cuda', 'cpu'])).toEqual([1]);
  expect(await ask([1, 0, 1], ['webgpu', 'cpu'])).toEqual([1, 0]);
  expect(await ask(null, ['webgpu', 'cpu'])).toEqual([0]);
  expect(await ask(null, ['cpu'])).toEqual([0]);
  expect(await ask(null, ['cuda', 'cpu'], { CUDA_VISIBLE_DEVICES: '1' })).toEqual([0]);
  expect(await ask(null, ['cuda', 'cpu'], { CUDA_VISIBLE_DEVICES: '' })).toEqual([0]);
  await cards.close();
  const config = { inference: { deviceId: null, providers: ['cuda'] }, gpu: { watch: 'auto' } };
  expect(await usableDevices({ config: config as never, env: {} }, noCards())).toEqual([0]);
  const first = (deviceId: number | number[] | null) =>
    firstDevice({ inference: { deviceId } } as never);
  expect([first(null), first(2), first([3, 1])]).toEqual([0, 2, 3]);
});

/** The largest number of inference processes that the run had at once. */
async function mostChildren(run: CliRun): Promise<number> {
  let most = 0;
  let ended = false;
  run.ended.finally(() => {
    ended = true;
  });
  while (!ended) {
    most = Math.max(most, childrenOf(run.child.pid!));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return most;
}

/** As the kernel lists them: Linux only, like the rest of what needs /proc. */
function childrenOf(pid: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return (
        parent === pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('session-process')
      );
    } catch {
      return false;
    }
  }).length;
}
