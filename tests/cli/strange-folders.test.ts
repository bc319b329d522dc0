import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { compiledEntry } from '../../src/inference/entry-point.js';
import { runCli, startCli } from '../support/cli.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-strange-'));
});
afterEach(() => {
  if (existsSync(at('in/locked'))) chmodSync(at('in/locked'), 0o700);
  rmSync(cwd, { recursive: true, force: true });
});

const at = (name: string) => path.join(cwd, name);
// Root may open everything, unless it gives that up.
const withoutPrivileges =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];
const colorize = (...args: string[]) =>
  runCli(['colorize', ...args], { cwd, through: withoutPrivileges });

/** A grey picture's bytes, another one for each number. */
function picture(number = 1): Promise<Buffer> {
  const pixels = Buffer.from(Array.from({ length: 48 * 48 }, (_, i) => (i * (3 + number)) % 251));
  return sharp(pixels, { raw: { width: 48, height: 48, channels: 1 } })
    .jpeg()
    .toBuffer();
}

async function write(name: string | Buffer, number = 1): Promise<void> {
  const bytes = await picture(number);
  const full = typeof name === 'string' ? at(name) : Buffer.concat([Buffer.from(`${cwd}/`), name]);
  mkdirSync(path.dirname(full.toString('latin1')), { recursive: true });
  writeFileSync(full, bytes);
}

const results = (dir: string) =>
  readdirSync(at(dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort();

describe('a folder that may not be opened', () => {
  test.each([
    ['a folder', ['in', '--recursive']],
    ['a glob', ['in/**/*']],
  ])('%s: it is named, the rest is coloured, and the run says 1', async (_, args) => {
    await write('in/a.jpg', 1);
    await write('in/locked/b.jpg', 2);
    await write('in/z/c.jpg', 3);
    chmodSync(at('in/locked'), 0o000);
    const { code, out, err } = await colorize(...args, '-o', 'out');
    expect(code).toBe(1);
    expect(err).toMatch(/in\/locked: NOT SEARCHED: no permission/);
    expect(out).toContain('2 done');
    expect(out).toContain('1 folder could not be opened: in/locked');
    expect(results('out')).toEqual(['a.jpg', 'z/c.jpg']);
  });

  test('machines are told too; nothing but such a folder is an error that names it', async () => {
    await write('in/a.jpg', 1);
    await write('in/locked/b.jpg', 2);
    chmodSync(at('in/locked'), 0o000);
    const { records } = await colorize('in', '-r', '-o', 'out', '--json');
    expect(records()).toContainEqual({
      ...{ type: 'folder', folder: at('in/locked'), status: 'locked' },
      error: { code: 'FOLDER_LOCKED', message: expect.stringContaining('in/locked') },
    });
    expect(records().at(-1)).toMatchObject({ type: 'summary', done: 1, foldersLocked: 1 });
    const alone = await colorize('in/locked', '--lang', 'zh-CN');
    expect(alone).toMatchObject({ code: 1 });
    expect(alone.err).toMatch(/in\/locked：未搜索：没有权限/);
  });
});

/** First bytes of files that are no photos we read, and what they are called. */
const others: Record<string, [string, string]> = {
  'a.heic': ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'HEIC'],
  // The name says nothing.
  'b.jpg': ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'HEIC'],
  'c.jp2': ['\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
  'd.jxl': ['\xff\x0a\x30', 'JPEG XL'],
  'e.bmp': ['BM\0\0\x01\0\0\0\0\0\x36\0\0\0\x28\0\0\0', 'BMP'],
  'f.pdf': ['%PDF-1.4\n', 'PDF'],
  'g.psd': ['8BPS\0\x01', 'PSD'],
  'h.cr2': ['II*\0\x10\0\0\0CR\x02\0', 'CR2'],
  'i.raf': ['FUJIFILMCCD-RAW 0201', 'RAF'],
  'j.mp4': ['\0\0\0\x18ftypisom\0\0\0\0isommp42', 'video'],
  'k.txt': ['BMW 1910, Cork', 'other'],
  'l.xmp': ['<?xml version="1.0"?><x:xmpmeta xmlns:x="adobe:ns:meta/">', 'other'],
};

describe('what lies among the photos', () => {
  test('names do not matter: the first bytes do; what is left alone is listed by kind', async () => {
    const photos = [
      'one.jpg',
      'noextension',
      'two.pjpeg',
      'three.jpg_large',
      'four.mpo',
      'five.JPG',
    ];
    for (const [i, name] of photos.entries()) await write(`in/${name}`, i);
    await write('in/deeper/six.jpg', 9);
    for (const [name, [bytes]] of Object.entries(others))
      writeFileSync(at(`in/${name}`), bytes, 'latin1');
    const { code, out } = await colorize('in', '-o', 'out');
    expect(code).toBe(0);
    expect(results('out')).toEqual([
      ...['five.JPG', 'four.jpg', 'noextension.jpg', 'one.jpg', 'three.jpg', 'two.jpg'],
    ]);
    expect(out).toContain('6 done');
    expect(out).toContain(
      '12 left alone: 1 BMP, 1 CR2, 2 HEIC, 1 JPEG 2000, 1 JPEG XL, 1 PDF, 1 PSD, 1 RAF, 2 other files, 1 video',
    );
    expect(out).toContain('1 folder not searched: -r');
  });

  test('the same for machines, one by one and in the summary', async () => {
    await write('in/one.jpg');
    await write('in/deeper/two.jpg');
    for (const [name, [bytes]] of Object.entries(others))
      writeFileSync(at(`in/${name}`), bytes, 'latin1');
    const { records } = await colorize('in', '-o', 'out', '--json');
    for (const [name, [, kind]] of Object.entries(others))
      expect(records()).toContainEqual({ type: 'leftAlone', file: at(`in/${name}`), kind });
    expect(records().at(-1)).toMatchObject({
      ...{ type: 'summary', done: 1, foldersNotSearched: 1 },
      leftAlone: { HEIC: 2, CR2: 1, other: 2, video: 1 },
    });
  });

  test('a folder without a photo says what there is instead', async () => {
    mkdirSync(at('in/deeper'), { recursive: true });
    writeFileSync(at('in/a.heic'), others['a.heic']![0], 'latin1');
    const { code, err } = await colorize('in');
    expect(code).toBe(2);
    expect(err).toMatch(/no photos found.*1 left alone: 1 HEIC.*1 folder not searched: -r/s);
  });
});

describe('what is no file', () => {
  test('pipes and devices are not opened, whatever they are called', async () => {
    await write('in/a.jpg');
    execFileSync('mkfifo', [at('in/b.jpg'), at('in/c')]);
    const found = await colorize('in', '-o', 'out');
    expect(found.code).toBe(0);
    expect(found.out).toContain('2 left alone: 2 pipes or devices');
    const named = await colorize('in/b.jpg', '/dev/zero', 'in', '-o', 'out2', '--manifest', 'm');
    expect(named.code).toBe(1);
    expect(named.err).toMatch(/in\/b\.jpg: FAILED: .*not a file/);
    expect(named.err).toMatch(/zero: FAILED: .*not a file/);
    expect(results('out2')).toEqual(['a.jpg']);
    const workflow = await runCli(['workflow', 'run', 'in/c', '-o', 'w'], { cwd });
    expect(workflow.code).not.toBe(0);
  });

  test('a link that leads to itself is called that', async () => {
    await write('in/a.jpg');
    symlinkSync(at('in/loop.jpg'), at('in/loop.jpg'));
    symlinkSync(at('in/gone'), at('in/nowhere.jpg'));
    const { code, err } = await colorize('in', '-o', 'out');
    expect(code).toBe(1);
    expect(err).toMatch(/loop\.jpg: FAILED: .*a link that leads to itself/);
    expect(err).toMatch(/nowhere\.jpg: FAILED: .*no such file/);
  });

  test('waiting for a drive that does not answer ends with Ctrl-C', async () => {
    execFileSync('mkfifo', [at('stalled')]);
    const module = path.join(
      path.dirname(compiledEntry(path.resolve(__dirname, '../../src/cli'), 'main.js')),
      'interrupt.js',
    );
    // An open that no other end answers holds a thread for ever, as a stalled drive does.
    const script = `
      const { listenForInterrupt, endUnlessIdle } = require(${JSON.stringify(module)});
      const interrupt = listenForInterrupt(() => console.log('stopping'));
      const opening = require('node:fs').promises.open('stalled');
      interrupt.wait(opening, 100).catch((error) => {
        console.log(error.code);
        process.exitCode = 130;
        endUnlessIdle();
      });
      console.log('waiting');`;
    const child = spawn(process.execPath, ['-e', script], { cwd, stdio: ['ignore', 'pipe', 2] });
    let out = '';
    child.stdout!.on('data', (text) => {
      if (!out.includes('waiting')) setTimeout(() => child.kill('SIGINT'), 50);
      out += text;
    });
    const signal = await new Promise((resolve) => child.on('close', (_, how) => resolve(how)));
    expect(signal).toBe('SIGINT');
    expect(out).toBe('waiting\nstopping\nCANCELLED\n');
  });
});

/** "老照片" and "奶奶" in GBK; "café" in Latin-1. */
const gbkFolder = Buffer.from('c0cfd5d5c6ac', 'hex');
const gbkName = Buffer.concat([Buffer.from('c4ccc4cc', 'hex'), Buffer.from('.jpg')]);
const latinName = Buffer.from('caf\xe9.jpg', 'latin1');

describe('names that are not UTF-8', () => {
  const slash = Buffer.from('/');
  const folder = Buffer.from('in/');
  beforeEach(async () => {
    mkdirSync(at('in'));
    mkdirSync(Buffer.concat([Buffer.from(`${cwd}/in/`), gbkFolder]));
    await write(Buffer.concat([folder, gbkFolder, slash, gbkName]), 1);
    await write(Buffer.concat([folder, gbkName]), 2);
    await write(Buffer.concat([folder, latinName]), 3);
  });

  test('their photos are coloured, and the results have names that can be read', async () => {
    const all = ['café.jpg', '奶奶.jpg', '老照片/奶奶.jpg'];
    for (const [i, args] of [['in', '-r'], ['in/**/*.jpg']].entries()) {
      const { code, err } = await colorize(...args, '-o', `out${i}`);
      expect({ code, results: results(`out${i}`) }).toEqual({ code: 0, results: all });
      expect(err).toContain('in/老照片/奶奶.jpg -> ');
    }
    const again = await colorize('in', '-r', '-o', 'out0', '--resume', '--json', '--manifest', 'm');
    expect(again.records().at(-1)).toMatchObject({ done: 0, skipped: 3, failed: 0 });
    expect(again.records()).toContainEqual(
      expect.objectContaining({ type: 'photo', photo: at('in/奶奶.jpg') }),
    );
  });

  test('without a place they lie beside their photos, in whatever folder', async () => {
    mkdirSync(at('temporary'));
    const env = { TMPDIR: at('temporary') };
    expect(await runCli(['colorize', 'in', '-r'], { cwd, env })).toMatchObject({ code: 0 });
    const inside = Buffer.concat([Buffer.from(`${cwd}/in/`), gbkFolder]);
    expect(readdirSync(inside as unknown as string)).toContain('奶奶-colour.jpg');
    expect(readdirSync(at('in'))).toEqual(
      expect.arrayContaining(['café-colour.jpg', '奶奶-colour.jpg']),
    );
    expect(readdirSync(at('temporary'))).toEqual([]);
  });

  test('they can be named on the command line', async () => {
    // By a shell: Node itself cannot say such a name. Two that Node takes for the same.
    const other = Buffer.concat([Buffer.from('c2e8c2e8', 'hex'), Buffer.from('.jpg')]);
    await write(Buffer.concat([folder, other]), 4);
    const say = (name: Buffer) => `in/${[...name].map((b) => `\\${b.toString(8)}`).join('')}`;
    const line = `exec "$@" "$(printf '${say(gbkName)}')" "$(printf '${say(other)}')"`;
    const through = ['sh', '-c', line, 'sh'];
    const run = startCli(['colorize', '-o', 'out', '--'], { cwd, through });
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(results('out')).toEqual(['奶奶.jpg', '妈妈.jpg'].sort());
  });
});
