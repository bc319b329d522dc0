import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { lightnessDifference, oldPhoto } from './support/old-photo.js';

jest.setTimeout(900_000);

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'dist/cli/main.js');
const name = 'wechaty-puppet-folder';
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-power-cut-'));
const world = path.join(dir, 'world');
let child: ChildProcess | undefined;
let logs = '';
let said = 0;

function start(): void {
  child = spawn(process.execPath, [main, 'serve', '--json'], {
    cwd: root,
    env: {
      ...{ PATH: process.env.PATH, HOME: dir, HUANCAI_DATA_DIR: dir, PORT: '0' },
      ...{ WECHATY_PUPPET: name, HUANCAI_PRICES_WELCOME_CREDITS: '3' },
      ...{ HUANCAI_WECHAT_MIN_PAUSE_MS: '1', HUANCAI_WECHAT_MAX_PAUSE_MS: '5' },
      HUANCAI_WECHAT_ALBUM_QUIET_MS: '1500',
    },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => {
      logs += data.toString();
    });
}

async function powerCut(): Promise<void> {
  const gone = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill('SIGKILL');
  await gone;
  start();
}

function says(text: string): void {
  said += 1;
  writeFileSync(
    path.join(world, 'in', `${String(said).padStart(4, '0')}.json`),
    JSON.stringify({ text }),
  );
}

function sendsPicture(bytes: Buffer): void {
  said += 1;
  const file = path.join(world, 'in', String(said).padStart(4, '0'));
  writeFileSync(`${file}.jpg`, bytes);
  writeFileSync(`${file}.json`, JSON.stringify({ photo: true }));
}

const sent = () =>
  readdirSync(path.join(world, 'out'))
    .sort()
    .filter((one) => !one.endsWith('.part'));
const files = (fits: RegExp) => sent().filter((one) => fits.test(one));
const texts = () =>
  files(/text\.txt$/).map((one) => readFileSync(path.join(world, 'out', one), 'utf8'));

async function until(look: () => unknown, what: string): Promise<void> {
  for (const end = Date.now() + 240_000; !look(); ) {
    if (Date.now() > end)
      throw new Error(`never: ${what}; sent ${sent().join(' ')}\n${logs.slice(-3_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeAll(() => {
  const folder = path.join(dir, 'wechat/node_modules', name);
  for (const one of [folder, path.join(world, 'in'), path.join(world, 'out')])
    mkdirSync(one, { recursive: true });
  const make = path.join(root, 'tests/emulators/wechat/folder-puppet.cjs');
  const from = `require('node:module').createRequire(${JSON.stringify(__filename)})`;
  const code = `module.exports.default = require(${JSON.stringify(make)})(${JSON.stringify(world)}, ${from});`;
  writeFileSync(path.join(folder, 'index.js'), code);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
  start();
});
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

test('power cuts in the middle of every step, all told again: everything arrives, files once', async () => {
  const original = await oldPhoto(951);
  sendsPicture(original);
  await until(() => texts().some((text) => text.includes('收到')), 'acknowledgement');
  await powerCut();
  await until(() => texts().some((text) => text.includes('1 高清')), 'offer');
  await powerCut();
  says('1');
  await until(() => texts().some((text) => text.includes('正在生成')), 'HD begun');
  await powerCut();
  await until(() => texts().some((text) => text.includes('您的高清文件')), 'HD file');
  await powerCut();
  says('余额');
  await until(() => texts().some((text) => text.includes('您有 2 点')), 'balance');
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const masters = files(/-huancai-\w{6}\.jpg$/);
  expect(masters).toHaveLength(1);
  expect(files(/-huancai-preview\.jpg$/)).toHaveLength(1);
  const times = (words: string) => texts().filter((text) => text.includes(words)).length;
  for (const once of ['收到', '您有']) expect(times(once)).toBe(1);
  // The cut fell right after these: whether they had gone out was not yet written down.
  for (const words of ['1 高清', '您的高清文件']) {
    expect(times(words)).toBeGreaterThanOrEqual(1);
    expect(times(words)).toBeLessThanOrEqual(2);
  }
  const bytes = readFileSync(path.join(world, 'out', masters[0]!));
  const { width, height } = await sharp(bytes).metadata();
  expect([width, height]).toEqual([480, 360]);
  expect(await lightnessDifference(original, bytes)).toBeLessThan(1.5);
});
