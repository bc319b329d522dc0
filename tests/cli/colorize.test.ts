import {
  mkdirSync,
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
import { runCli, startCli } from '../support/cli.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-colorize-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const at = (name: string) => path.join(cwd, name);
const colorize = (...args: string[]) => runCli(['colorize', ...args], { cwd });

/** A grey landscape of its own kind for each number: sky above, hills below. */
async function photo(name: string, number = 1, side = 96): Promise<void> {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  const pixels = Buffer.from(
    Array.from({ length: side * side }, (_, i) => {
      const y = i / side / side;
      const hill = 0.5 + 0.2 * Math.sin(((i % side) / side) * 6 + number);
      return y < hill ? 200 - 40 * y : 90 + ((i * (7 + number)) % 40);
    }),
  );
  await sharp(pixels, { raw: { width: side, height: side, channels: 1 } }).toFile(at(name));
}

/** Every file below the working folder that is not hidden, relative. */
function files(): string[] {
  return readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(at(name)).isFile() && !/(^|\/)\./.test(name))
    .sort();
}

async function meanChroma(name: string): Promise<number> {
  const { data, info } = await sharp(at(name)).raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) {
    sum +=
      Math.max(data[i]!, data[i + 1]!, data[i + 2]!) -
      Math.min(data[i]!, data[i + 1]!, data[i + 2]!);
  }
  return (3 * sum) / data.length;
}

test('one photo becomes a coloured picture beside it, of the same size', async () => {
  await photo('old.jpg');
  const { code, out } = await colorize('old.jpg');
  expect({ code, files: files() }).toEqual({ code: 0, files: ['old-colour.jpg', 'old.jpg'] });
  expect(await sharp(at('old-colour.jpg')).metadata()).toMatchObject({ width: 96, height: 96 });
  expect(await meanChroma('old-colour.jpg')).toBeGreaterThan(5);
  expect(out).toContain('1 done');
});

test('one bad file never stops a batch, and the summary says which and why', async () => {
  await photo('in/a.jpg', 1);
  await photo('in/sub/b.png', 2);
  writeFileSync(at('in/broken.jpg'), 'this is no picture');
  const { code, err, out } = await colorize('in', 'gone.jpg', '--recursive', '-o', 'out');
  expect(code).toBe(1);
  expect(files().filter((file) => file.startsWith('out'))).toEqual(['out/a.jpg', 'out/sub/b.png']);
  expect(err).toMatch(/in\/broken\.jpg: FAILED: .+/);
  expect(err).toMatch(/gone\.jpg: FAILED: .*no such file/);
  expect(out).toContain('2 done, 2 failed');
});

test('photos of one name from two folders both arrive', async () => {
  await photo('a/x.jpg', 1);
  await photo('b/x.jpg', 2);
  expect(await colorize('a', 'b', '-o', 'out')).toMatchObject({ code: 0 });
  expect(files().filter((file) => file.startsWith('out'))).toEqual(['out/a/x.jpg', 'out/b/x.jpg']);
  expect(readFileSync(at('out/a/x.jpg'))).not.toEqual(readFileSync(at('out/b/x.jpg')));
});

test('results may go into the folder above the photos', async () => {
  await photo('scans/a.jpg');
  expect(await colorize('scans', '-o', '.')).toMatchObject({ code: 0 });
  expect(files()).toEqual(['a.jpg', 'scans/a.jpg']);
});

test('nothing is overwritten unless asked, and never the photo itself', async () => {
  await photo('old.jpg');
  writeFileSync(at('old-colour.jpg'), 'precious');
  expect(await colorize('old.jpg')).toMatchObject({ code: 1 });
  expect(readFileSync(at('old-colour.jpg'), 'utf8')).toBe('precious');
  expect(await colorize('old.jpg', '--overwrite')).toMatchObject({ code: 0 });
  expect(statSync(at('old-colour.jpg')).size).toBeGreaterThan(500);

  const original = readFileSync(at('old.jpg'));
  const self = await colorize('old.jpg', '-o', '.', '--overwrite');
  expect(self).toMatchObject({ code: 1 });
  expect(self.err).toMatch(/replace the photo itself/);
  expect(readFileSync(at('old.jpg'))).toEqual(original);
});

test('results are never coloured again', async () => {
  await photo('in/a.jpg');
  expect(await colorize('in')).toMatchObject({ code: 0 });
  const again = await colorize('in', '--resume', '--json');
  expect(again.records().at(-1)).toMatchObject({ type: 'summary', skipped: 2, failed: 0, done: 0 });
  expect(files()).toEqual(['in/a-colour.jpg', 'in/a.jpg']);
  expect((await colorize('in/a-colour.jpg')).err).toMatch(/already a result/);
});

test('a damaged JPEG is coloured as far as it goes, marked everywhere, and refused with --strict', async () => {
  await photo('in/whole.jpg', 1, 160);
  await photo('in/cut.jpg', 2, 160);
  const bytes = readFileSync(at('in/cut.jpg'));
  writeFileSync(at('in/cut.jpg'), bytes.subarray(0, bytes.length * 0.6));
  writeFileSync(at('in/end.jpg'), bytes.subarray(0, -2));
  const { code, out, err } = await colorize('in', '-o', 'out');
  expect(code).toBe(0);
  expect(err).toMatch(/damaged: \d+ % of the picture's rows are missing/);
  expect(err).toMatch(/The end of the file is missing; the picture is whole/);
  expect(out).toMatch(/2 damaged, .*: in\/cut\.jpg \(\d+ % missing\), in\/end\.jpg/);
  const told = (await colorize('in', '-o', 'out2', '--json')).records();
  expect(told).toContainEqual(
    expect.objectContaining({
      ...{ photo: at('in/cut.jpg'), status: 'done' },
      damage: { missingPercent: expect.any(Number), coarse: false },
    }),
  );
  expect(told.at(-1)).toMatchObject({ done: 3, damaged: 2 });
  const strict = await colorize('in', '-o', 'out3', '--strict', '--concurrency', '1');
  expect(strict.code).toBe(1);
  expect(strict.err).toMatch(
    /cut\.jpg: FAILED: the file is damaged \(\d+ % of the picture missing\)/,
  );
  expect(strict.out).toContain('1 done, 2 failed');
  expect(files().filter((name) => name.startsWith('out3'))).toEqual(['out3/whole.jpg']);
}, 60_000);

test.each(['jpg', '.JPG', 'jpeg'])('--format %s is JPEG', async (format) => {
  await photo('old.png');
  expect(await colorize('old.png', '--format', format, '-o', 'out')).toMatchObject({ code: 0 });
  expect(files()).toEqual(['old.png', 'out/old.jpg']);
  expect((await sharp(at('out/old.jpg')).metadata()).format).toBe('jpeg');
  const wrong = await colorize('old.png', '--format', 'gif');
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.err).toMatch(/cannot be "gif".*jpeg, jpg, png/);
});

test('--json: one object per photo and a summary, nothing else', async () => {
  await photo('a.jpg');
  writeFileSync(at('b.jpg'), '');
  const { code, err, records } = await colorize('a.jpg', 'b.jpg', '--json', '--concurrency', '1');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  const [first, second, summary] = records();
  expect(first).toMatchObject({
    type: 'photo',
    photo: at('a.jpg'),
    status: 'done',
    files: [at('a-colour.jpg')],
    model: 'starter',
    provider: 'cpu',
  });
  // Small enough for a pipe: what the network predicted stays inside.
  expect(Object.keys(first!).sort()).toEqual(
    'files inferenceSeconds inputHeightPx inputWidthPx model notes photo provider seconds status type'.split(
      ' ',
    ),
  );
  expect(second).toMatchObject({ status: 'failed', error: { code: 'PHOTO_UNREADABLE' } });
  expect(summary).toMatchObject({ type: 'summary', photos: 2, done: 1, failed: 1 });
});

test('messages follow --lang', async () => {
  const { err } = await colorize('gone.jpg', '--lang', 'zh-CN');
  expect(err).toMatch(/失败/);
});

test('variants, contact sheet, comparison and format', async () => {
  await photo('a.jpg', 3, 128);
  const args = ['--variants', '5', '--compare', '--format', 'png', '-o', 'out', '--json'];
  const { code, records } = await colorize('a.jpg', ...args);
  expect({ code, record: records()[0] }).toMatchObject({ code: 0, record: { status: 'done' } });
  expect(files()).toEqual([
    'a.jpg',
    'out/a-1.png',
    'out/a-2.png',
    'out/a-3.png',
    'out/a-4.png',
    'out/a-5.png',
    'out/a-compare.png',
    'out/a-variants.jpg',
  ]);
  const pictures = [1, 2, 3, 4, 5].map((n) =>
    readFileSync(at(`out/a-${n}.png`)).toString('base64'),
  );
  expect(new Set(pictures).size).toBe(5);
});

test('a killed run goes on where it stopped', async () => {
  const names = Array.from({ length: 24 }, (_, i) => `in/${String(i).padStart(2, '0')}.jpg`);
  for (const [i, name] of names.entries()) await photo(name, i);
  const killed = startCli(['colorize', 'in', '-o', 'out', '--concurrency', '2'], { cwd });
  await killed.shows('[3/24]');
  killed.child.kill('SIGKILL');
  await killed.ended;
  const before = files().filter((file) => file.startsWith('out/'));
  expect(before.length).toBeGreaterThanOrEqual(3);
  expect(before.length).toBeLessThan(24);
  for (const file of before) await sharp(at(file), { failOn: 'warning' }).stats();

  const { code, records } = await colorize('in', '-o', 'out', '--resume', '--json');
  const summary = records().at(-1) as { done: number; skipped: number };
  expect({ code, total: summary.done + summary.skipped }).toEqual({ code: 0, total: 24 });
  expect(summary.skipped).toBeGreaterThanOrEqual(3);
  expect(files().filter((file) => file.startsWith('out/'))).toHaveLength(24);

  const third = await colorize('in', '-o', 'out', '--resume', '--json');
  expect(third.records().at(-1)).toMatchObject({ done: 0, skipped: 24, failed: 0 });
  // Another strength is other work: what is there stays, and is named.
  const other = await colorize('in', '-o', 'out', '--resume', '--strength', '0.5', '--json');
  expect(other).toMatchObject({ code: 1 });
  expect(other.records().at(-1)).toMatchObject({ done: 0, skipped: 0, failed: 24 });
}, 240_000);

test('Ctrl-C ends cleanly: whole pictures only, nothing left behind, --resume goes on', async () => {
  for (let i = 0; i < 12; i++) await photo(`in/${i}.jpg`, i, 600);
  const run = startCli(['colorize', 'in', '-o', 'out'], { cwd });
  await run.shows('[2/12]');
  run.child.kill('SIGINT');
  const { code, out } = await run.ended;
  expect(code).toBe(130);
  expect(out).toMatch(/--resume/);
  const left = readdirSync(at('out')).filter((name) => name !== '.huancai-journal.jsonl');
  expect(left.length).toBeLessThan(12);
  for (const name of left) {
    expect(name).toMatch(/^\d+\.jpg$/);
    await sharp(at(`out/${name}`), { failOn: 'warning' }).stats();
  }
  expect(await colorize('in', '-o', 'out', '--resume')).toMatchObject({ code: 0 });
}, 240_000);

test('Ctrl-C twice ends at once and still leaves no half-written file', async () => {
  for (let i = 0; i < 4; i++) await photo(`in/${i}.jpg`, i, 2000);
  const run = startCli(['colorize', 'in', '-o', 'out', '--variants', '6'], { cwd });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  run.child.kill('SIGINT');
  run.child.kill('SIGINT');
  expect((await run.ended).code).toBe(130);
  const left = statSync(at('out'), { throwIfNoEntry: false }) ? readdirSync(at('out')) : [];
  for (const name of left.filter((name) => name !== '.huancai-journal.jsonl')) {
    expect(name).toMatch(/^\d+-(\d|variants)\.jpg$/);
    await sharp(at(`out/${name}`), { failOn: 'warning' }).stats();
  }
});

test('leftovers of a killed run are removed, files that only look alike are not', async () => {
  await photo('in/a.jpg');
  mkdirSync(at('out'));
  const leftover = '.a.jpg.0123456789ab.part';
  for (const name of [leftover, '.b.jpg.0123456789ab.part', '.a.jpg.notes.part']) {
    writeFileSync(at(`out/${name}`), '');
  }
  expect(await colorize('in', '-o', 'out', '--resume')).toMatchObject({ code: 0 });
  expect(readdirSync(at('out')).sort()).toEqual([
    '.a.jpg.notes.part',
    '.b.jpg.0123456789ab.part',
    '.huancai-journal.jsonl',
    'a.jpg',
  ]);
});

test.each([
  [['--strength', '7', 'a.jpg'], 2, /0 to 1\.5/],
  [['--nonsense', 'a.jpg'], 2, /There is no option --nonsense/],
  [['--size', '128,256', 'a.jpg'], 2, /--variants/],
  [['empty-folder'], 2, /no photos found/],
  [['a.jpg', 'empty-folder', 'gone.jpg', '-o', 'one.jpg'], 2, /one\.jpg is one file, but 2 photos/],
  [['a.jpg', '-o', 'a.bmp'], 2, /a\.bmp are not written/],
  [['a.jpg', '--label', 'AI \u2603'], 2, /--label has characters that cannot be drawn: \u2603/],
  [['--model', 'no-such-model', 'a.jpg'], 3, /no-such-model/],
])('%j answers %i and says why', async (args, code, message) => {
  mkdirSync(at('empty-folder'));
  await photo('a.jpg');
  const result = await colorize(...args);
  expect(result).toMatchObject({ code });
  expect(result.err).toMatch(message);
});

test('faulty settings are listed before anything runs', async () => {
  await photo('a.jpg');
  const env = { HUANCAI_INFERENCE_THREADS: 'many', HUANCAI_LABEL_VISIBLE: 'perhaps' };
  const { code, err } = await runCli(['colorize', 'a.jpg'], { cwd, env });
  expect(code).toBe(3);
  expect(err).toMatch(/inference\.threads/);
  expect(err).toMatch(/label\.visible/);
});
