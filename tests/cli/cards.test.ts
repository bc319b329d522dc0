import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cardOf, inferenceEnv, watches } from '../../src/cli/cards';
import { ServerProcess } from '../crash/server-process';
import { type EmulatedCards, emulateCards, watching } from '../emulators/cards/cards';
import { type CliRun, runCli, startCli } from '../support/cli';
import { createHttpClient } from '../support/http-client';
import { freePort } from '../support/redis';
import { until } from '../support/until';

// Real processes, with a card that is emulated and work that is real.
jest.setTimeout(300_000);
const patientMs = 200_000;
const demo = path.resolve(__dirname, '../../assets/demo/photographer.jpg');

let dir: string;
let box: EmulatedCards;
const running: (CliRun | ServerProcess)[] = [];
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-cards-cli-'));
  box = emulateCards(dir, '550-gtx-1650');
  cpSync(demo, path.join(dir, 'old.jpg'));
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    if (one instanceof ServerProcess) await one.kill();
    else one.child.kill('SIGKILL');
  }
  rmSync(dir, { recursive: true, force: true });
});

const guarded = (more: Record<string, string> = {}) => ({
  ...watching(box),
  ...more,
});

test('colorize waits for a hot card, says so once, and goes on when it has cooled', async () => {
  box.heat(86);
  const run = startCli(['colorize', 'old.jpg'], { cwd: dir, env: guarded() });
  running.push(run);
  await run.shows('GTX 1650 rests at 86 °C');
  box.heat(60);
  const { code, err } = await run.ended;
  expect(code).toBe(0);
  expect(err.match(/rests at/g)).toHaveLength(1);
});

test('colorize on the processor while the card rests, in the words of the reader', async () => {
  box.heat(86);
  const env = guarded({ HUANCAI_GPU_ALLOW_CPU_WHILE_PAUSED: 'true' });
  const { code, out, err } = await runCli(['colorize', 'old.jpg', '--lang', 'zh-CN'], {
    cwd: dir,
    env,
  });
  expect(code).toBe(0);
  expect(out + err).toContain('在 86 °C 时暂停');
});

test('a studio with a hot card: the photo waits and says so; then it is coloured', async () => {
  box.heat(86);
  const env = { HOME: dir, HUANCAI_DATA_DIR: path.join(dir, 'data'), ...guarded() };
  const server = new ServerProcess(env, await freePort(), path.join(dir, 'log'));
  running.push(server);
  server.start();
  await server.ready();
  const client = createHttpClient(server.url);
  const { id } = await client.upload(readFileSync(demo));
  const photo = () => client.json('GET', `/photos/${id}`);
  await until(async () => (await photo()).waitingFor === 'card', patientMs);
  expect((await photo()).status).toBe('queued');
  expect((await photo()).etaSeconds).toBeGreaterThan(60);
  box.heat(60);
  await until(async () => (await photo()).status === 'ready', patientMs);
});

test("what happened to the card stands in the photo's history and in the figures", async () => {
  box.heat(86);
  const metricsPort = await freePort();
  const env = {
    ...{ HOME: dir, HUANCAI_DATA_DIR: path.join(dir, 'data') },
    ...guarded({ HUANCAI_GPU_ALLOW_CPU_WHILE_PAUSED: 'true' }),
    METRICS_PORT: `${metricsPort}`,
  };
  const server = new ServerProcess(env, await freePort(), path.join(dir, 'log'));
  running.push(server);
  server.start();
  await server.ready();
  const client = createHttpClient(server.url);
  const { id } = await client.upload(readFileSync(demo));
  await until(
    async () => (await client.json('GET', `/photos/${id}`)).status === 'ready',
    patientMs,
  );
  const { timeline } = await client.json('GET', `/photos/${id}/timeline`);
  const texts = timeline.map((entry: { text: string }) => entry.text).join('\n');
  expect(texts).toMatch(/GTX 1650 .*86 °C/);
  const figures = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(figures).toMatch(/huancai_card_temperature_celsius\{[^}]*GTX 1650[^}]*\} 86\b/);
  expect(figures).toMatch(/huancai_card_state\{[^}]*state="paused"[^}]*\} 1\b/);
});

test('bench --calibrate keeps what the card takes; from then on nothing larger is given to it', async () => {
  const env = guarded();
  const measured = await runCli(['bench', '--calibrate', '--size', '384', '--json'], {
    cwd: dir,
    env,
  });
  expect(measured.code).toBe(0);
  expect(measured.records().at(-1)).toMatchObject({
    ...{ type: 'calibration', model: 'starter', sizePx: 384, provider: 'cpu', kept: true },
    uuid: 'GPU-4c3f8d61-a03e-4f8a-8d41-3d8e9fa0b1c3',
  });
  const [entry] = JSON.parse(readFileSync(path.join(dir, '.data', 'cards.json'), 'utf8')).entries;
  expect(entry).toMatchObject({ card: 'NVIDIA GeForce GTX 1650', driverVersion: '550.163.01' });
  expect(entry.seconds.map((one: { sizePx: number }) => one.sizePx)).toEqual([256, 384]);
  const args = ['colorize', 'old.jpg', '--size', '512'];
  const { code, out, err } = await runCli(args, { cwd: dir, env });
  expect(code).toBe(0);
  expect(out + err).toContain('GTX 1650 takes 384 px at most; the wanted 512 px was not used');
});

test('without a card there is nothing to keep', async () => {
  const { code, out } = await runCli(['bench', '--calibrate', '--size', '256'], { cwd: dir });
  expect(code).toBe(3);
  expect(out).toContain('no graphics card is watched: nothing was kept');
});

test('the doctor has a line for each card and says what to do, in both languages', async () => {
  box.set(({ cards }) => {
    cards[0]!['temperature.gpu'] = '88';
  });
  const env = guarded({ HUANCAI_INFERENCE_PROVIDERS: '[cuda, cpu]' });
  const english = await runCli(['doctor'], { cwd: dir, env });
  expect(english.out).toMatch(/ok +card +card 0: NVIDIA GeForce GTX 1650, 4096 MiB, driver 550/);
  expect(english.out).toMatch(/warn +heat +.*88 °C, and pauses at 83: clean its fan/);
  expect(english.out).toMatch(/ok +driver +NVIDIA driver 550\.163\.01 can run CUDA 12/);
  expect(english.out).toMatch(/ok +compute +.*compute capability 7\.5/);
  expect(english.out).toMatch(/warn +cuda +CUDA 12 libraries are missing|ok +cuda/);
  box.set((it) => {
    it.trouble = 'driver';
  });
  const chinese = await runCli(['doctor', '--lang', 'zh-CN'], { cwd: dir, env });
  expect(chinese.out).toMatch(/warn +driver +显卡驱动没有正常回应：.*NVIDIA-SMI has failed/);
});

test("CUDA's own choice of cards is obeyed, and both count as nvidia-smi does", () => {
  expect(cardOf({}, 1)).toBe(1);
  expect(cardOf({ CUDA_VISIBLE_DEVICES: '3,1' }, 1)).toBe(1);
  expect(cardOf({ CUDA_VISIBLE_DEVICES: '3' }, 0)).toBe(3);
  expect(cardOf({ CUDA_VISIBLE_DEVICES: 'GPU-4c3f8d61' }, 0)).toBe('GPU-4c3f8d61');
  expect(inferenceEnv({ PATH: '/bin', CUDA_DEVICE_ORDER: 'FASTEST_FIRST' })).toEqual({
    PATH: '/bin',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
  });
});

test('cards are watched where one may be used, or as the operator says', () => {
  const config = (watch: 'auto' | 'on' | 'off', providers: ('cpu' | 'cuda')[]) =>
    ({ gpu: { watch }, inference: { providers } }) as Parameters<typeof watches>[0];
  expect(watches(config('auto', ['cpu']))).toBe(false);
  expect(watches(config('auto', ['cuda', 'cpu']))).toBe(true);
  expect(watches(config('off', ['cuda']))).toBe(false);
  expect(watches(config('on', ['cpu']))).toBe(true);
});
