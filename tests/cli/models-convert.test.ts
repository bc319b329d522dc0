import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { runCli } from '../support/cli.js';
import { classifierNet, int8Net } from '../support/onnx-builder.js';
import { pickle, writeTorchZip } from '../support/torch-checkpoint.js';

const mini = path.join(__dirname, '../fixtures/ddcolor-mini/mini.pth');
const demoPhoto = path.join(packageRoot, 'assets/demo/photographer.jpg');
let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-convert-'));
  copyFileSync(mini, path.join(cwd, 'mini.pth'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]) => runCli(args, { cwd });
const convert = (...args: string[]) =>
  run('models', 'convert', 'mini.pth', '--heads', '2', ...args);

test('from checkpoint to coloured photograph', async () => {
  const converted = await convert();
  expect(converted).toMatchObject({ code: 0 });
  expect(converted.out).toContain('mini.onnx');
  expect(converted.out).toContain('--model');
  const coloured = await run('colorize', demoPhoto, '-o', 'out.png', '--model', 'mini.onnx');
  expect(coloured).toMatchObject({ code: 0 });
  const { channels } = await sharp(path.join(cwd, 'out.png')).stats();
  expect(Math.abs(channels[0]!.mean - channels[2]!.mean)).toBeGreaterThan(0.1);
});

test('an existing result is kept unless told otherwise', async () => {
  writeFileSync(path.join(cwd, 'mini.onnx'), 'mine');
  expect(await convert()).toMatchObject({ code: 1 });
  expect(readFileSync(path.join(cwd, 'mini.onnx'), 'utf8')).toBe('mine');
  expect(await convert('--overwrite', '--fp16-weights')).toMatchObject({ code: 0 });
  expect(statSync(path.join(cwd, 'mini.onnx')).size).toBeGreaterThan(100_000);
});

test('for machines: what was converted', async () => {
  const { code, records } = await convert('--json');
  expect(code).toBe(0);
  expect(records()).toMatchObject([
    { type: 'converted', bytes: expect.any(Number), shape: { widths: [8, 12, 20, 28] } },
  ]);
});

test('int8 never comes without its measured colour difference', async () => {
  const { code, records } = await convert('--int8', '--json');
  expect(code).toBe(0);
  const measured = records().filter((record) => record['type'] === 'deltaE');
  expect(measured).toHaveLength(5);
  for (const { mean, p95, max } of measured as Record<string, number>[]) {
    expect(mean).toBeGreaterThan(0);
    expect(p95).toBeLessThan(max!);
  }
  expect(readdirSync(cwd).sort()).toEqual(['mini.onnx', 'mini.pth']);
  const own = await convert('--int8', '--overwrite', '--photos', demoPhoto);
  expect(own.out).toMatch(/photographer\.jpg: colour difference \(CIEDE2000\) mean \d+\.\d\d/);
});

test("a malicious checkpoint is refused in the reader's language and does nothing", async () => {
  const trace = path.join(cwd, 'trace');
  const attack = Buffer.concat([
    ...[pickle.start(), pickle.global('posix', 'system'), pickle.mark()],
    ...[pickle.text(`touch ${trace}`), pickle.tuple(), pickle.reduce(), pickle.stop()],
  ]);
  writeTorchZip(path.join(cwd, 'evil.pth'), [{ name: 'data.pkl', bytes: () => attack }]);
  const english = await run('models', 'convert', 'evil.pth', '--lang', 'en');
  expect(english).toMatchObject({ code: 1 });
  expect(english.err).toMatch(/posix\.system.*nothing of it was run/);
  const chinese = await run('models', 'convert', 'evil.pth', '--lang', 'zh-CN');
  expect(chinese.err).toMatch(/posix\.system.*没有被执行/);
  expect(existsSync(trace)).toBe(false);
  expect(existsSync(path.join(cwd, 'evil.onnx'))).toBe(false);
});

test('an export is made lean in place; a second time there is nothing to do', async () => {
  await convert('--form', 'export', '-o', 'export.onnx');
  const before = statSync(path.join(cwd, 'export.onnx')).size;
  const first = await run('models', 'optimize', 'export.onnx');
  expect(first).toMatchObject({ code: 0 });
  expect(statSync(path.join(cwd, 'export.onnx')).size).toBeLessThan(before);
  const second = await run('models', 'optimize', 'export.onnx', '--json');
  expect(second.records()).toMatchObject([{ type: 'optimized', outcome: 'nothing-to-do' }]);
});

test('another network is refused where it comes in, before any photo', async () => {
  classifierNet(path.join(cwd, 'other.onnx'));
  const imported = await run('models', 'import', 'other.onnx');
  expect(imported).toMatchObject({ code: 3 });
  expect(imported.err).toMatch(/Expected: .*\[1,3,H,W\].* Found: .*scores/);
  expect((await run('models', 'list', '--installed')).out).not.toMatch(/other/);
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey' } }).toFile(
    path.join(cwd, 'a.jpg'),
  );
  expect(await run('colorize', 'a.jpg', '--model', 'other.onnx')).toMatchObject({ code: 3 });
});

test('an int8 model that computes something else here than float32 is refused, in both languages', async () => {
  int8Net(path.join(cwd, 'right.onnx'), 60_000);
  expect(await run('models', 'import', 'right.onnx')).toMatchObject({ code: 0 });
  int8Net(path.join(cwd, 'wrong.onnx'), 70_000);
  const { records } = await run('models', 'import', 'wrong.onnx', '--json');
  expect(records()).toMatchObject([{ type: 'error', error: { code: 'INT8_DIFFERS' } }]);
  const english = await run('models', 'import', 'wrong.onnx', '--lang', 'en');
  expect(english).toMatchObject({ code: 3 });
  expect(english.err).toMatch(/wrong\.onnx was not installed.*float32 \(difference [\d.]+ %\)/);
  const chinese = await run('models', 'import', 'wrong.onnx', '--lang', 'zh-CN');
  expect(chinese.err).toMatch(/没有安装模型 wrong\.onnx.*相差 [\d.]+ %/);
  expect((await run('models', 'list', '--installed')).out).not.toMatch(/wrong/);
  expect(readdirSync(cwd).filter((name) => name.includes('float32'))).toEqual([]);
});

test('a checkpoint is imported like a model', async () => {
  const imported = await run('models', 'import', 'mini.pth', '--id', 'mine');
  expect(imported).toMatchObject({ code: 0 });
  const listed = await run('models', 'list', '--installed', '--json');
  const ids = listed.records().map((record) => record['id']);
  expect(ids).toContain('mine');
});
