import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../support/cli.js';

const cwd = mkdtempSync(path.join(tmpdir(), 'huancai-wrong-use-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const english = { cwd, env: { LANG: 'en_GB.UTF-8' } };
const chinese = { cwd, env: { LANG: 'zh_CN.UTF-8' } };

const cases: [args: string[], en: RegExp, zh: RegExp][] = [
  [
    ['colorize', '--sise', '3', 'a.jpg'],
    /no option --sise.*mean --size/,
    /没有选项 --sise.*--size/,
  ],
  [['colourise'], /no command colourise.*mean colorize/, /没有命令 colourise.*colorize/],
  [['colorize'], /<photos> is missing/, /缺少参数 <photos>/],
  [['colorize', 'a.jpg', '--size'], /--size <px> needs a value/, /--size <px> 需要一个值/],
  [
    ['colorize', 'a.jpg', '--size', 'x"y'],
    /cannot be "x"y".*whole number from 64 to 2048/,
    /不能是“x"y”.*64 到 2048 之间的整数/,
  ],
  [['colorize', 'a.jpg', '--strength', '9'], /number from 0 to 1.5/, /0 到 1.5 之间的数/],
  [['colorize', 'a.jpg', '--format', 'bmp'], /One of these is expected: .*png/, /以下之一：.*png/],
  [['reconcile', '--date', 'x'], /date such as/, /应为日期/],
  [['doctor', 'one', 'two'], /Too many words: 0 expected, 2 found/, /参数过多/],
];

test.each(cases)('%j is wrong use, said in both languages', async (args, en, zh) => {
  const said = await runCli(args, english);
  expect(said).toMatchObject({ code: 2, out: '' });
  expect(said.err).toMatch(en);
  expect(said.err).toMatch(/^huancai: .* See --help\.\n$/);
  const translated = await runCli(args, chinese);
  expect(translated.code).toBe(2);
  expect(translated.err).toMatch(zh);
  expect(translated.err).not.toMatch(/error:|expected|missing/i);
});

test('machines get it as a record', async () => {
  const { code, out, err } = await runCli(['doctor', '--nope', '--json'], english);
  expect({ code, err }).toEqual({ code: 2, err: '' });
  expect(JSON.parse(out)).toMatchObject({ type: 'error', error: { code: 'WRONG_USE' } });
});

test('a group without its command shows its help and is wrong use', async () => {
  const { code, err } = await runCli(['models'], english);
  expect(code).toBe(2);
  expect(err).toMatch(/Usage: huancai models/);
});
