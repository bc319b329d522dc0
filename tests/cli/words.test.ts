import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { buildTiff } from '../inference/support/tiff.js';
import { runCli } from '../support/cli.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-words-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const at = (name: string) => path.join(cwd, name);
const colorize = (...args: string[]) => runCli(['colorize', ...args], { cwd });
const grey = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#777' } });

test('what cannot be decoded is called by its name, in both languages', async () => {
  const samples = new Uint8Array(48 * 40 * 3).fill(99);
  const page = { widthPx: 48, heightPx: 40, samples };
  writeFileSync(at('lzma.tif'), buildTiff([{ ...page, tags: { 259: [34925] } }]));
  writeFileSync(at('lab.tif'), buildTiff([{ ...page, channels: 3, tags: { 262: [8] } }]));
  writeFileSync(at('phone.heic'), '\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  writeFileSync(at('half.png'), (await grey(300, 300).png().toBuffer()).subarray(0, 200));
  const names = ['lzma.tif', 'lab.tif', 'phone.heic', 'half.png'];
  const { err } = await colorize(...names, '-o', 'out');
  expect(err).toMatch(/lzma\.tif: FAILED: TIFF \(LZMA\) files cannot be read\./);
  expect(err).toMatch(/lab\.tif: FAILED: TIFF \(CIELab\) files cannot be read\./);
  expect(err).toMatch(/phone\.heic: FAILED: HEIC files cannot be read\. Please save the photo as/);
  // Nobody sends anything here.
  expect(err).toMatch(
    /half\.png: FAILED: This picture cannot be read: the file is damaged or incomplete\./,
  );
  expect(err).not.toMatch(/send|tiff2vips|not photographs/);
  const chinese = await colorize(...names, '-o', 'out', '--lang', 'zh-CN');
  expect(chinese.err).toMatch(/无法读取 TIFF \(LZMA\) 文件/);
  expect(chinese.err).toMatch(/half\.png：失败：无法读取这张图片：文件已损坏或不完整。/);
});

test('a format that cannot hold the picture says how large that is', async () => {
  await grey(16_400, 20).png().toFile(at('long.png'));
  const { code, err } = await colorize('long.png', '--format', 'webp');
  expect(code).toBe(1);
  expect(err).toMatch(/16400 x 20 pixels; webp holds at most 16383 on a side.*jpeg, png or tiff/);
});

test.each([
  ['-', /do not go to standard output.*\.\/- for a folder/],
  ['/dev/null', /\/dev\/null is a device or a pipe: give -o a folder/],
  ['notes.txt', /notes\.txt is a file that is there, and no picture/],
])('-o %s is refused before anything is done', async (place, words) => {
  await grey(48, 40).jpeg().toFile(at('a.jpg'));
  writeFileSync(at('notes.txt'), 'mine');
  const { code, err } = await colorize('a.jpg', '-o', place);
  expect(code).toBe(2);
  expect(err).toMatch(words);
  expect(
    readdirSync(cwd)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['a.jpg', 'notes.txt']);
});

test('-o ./- is a folder like any other', async () => {
  await grey(48, 40).jpeg().toFile(at('a.jpg'));
  expect(await colorize('a.jpg', '-o', './-')).toMatchObject({ code: 0 });
  expect(readdirSync(at('-'))).toContain('a.jpg');
});

test('on a terminal nothing of the progress bar sticks to what is said, and the cursor comes back', async () => {
  mkdirSync(at('in'));
  for (let i = 0; i < 8; i++)
    await grey(900 + i, 700)
      .jpeg()
      .toFile(at(`in/${i}.jpg`));
  const main = path.resolve(__dirname, '../../dist/cli/main.js');
  const line = `${process.execPath} ${main} colorize in -o out`;
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    cwd,
    env: { ...process.env, HUANCAI_DATA_DIR: at('.data'), LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.on('data', (text) => {
    // The bar counts the first finished photo.
    if (/ [1-7]\/8 /.test(`${text}`) && !/ [1-7]\/8 /.test(screen)) child.stdin.write('\x03');
    screen += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(130);
  // What stands on the line where the message begins: all since it was last cleared or left.
  const before = screen.slice(0, screen.indexOf('Stopping:'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is sent.
  const onLine = before.split(/\n|\x1b\[2K|\x1b\[0?K/).at(-1);
  expect(onLine).toBe('');
  expect(screen.lastIndexOf('\x1b[?25h')).toBeGreaterThan(screen.lastIndexOf('\x1b[?25l'));
}, 60_000);
