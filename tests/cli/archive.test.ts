import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { runCli, startCli } from '../support/cli.js';
import { until } from '../support/until.js';

jest.setTimeout(240_000);

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-archive-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(cwd, ...names);
const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const archive = ['colorize', 'scans', '-r', '-o', 'colour', '--manifest', 'colour/archive'];

async function scans(count: number): Promise<void> {
  mkdirSync(at('scans', '1957'), { recursive: true });
  for (let i = 0; i < count; i++) {
    const background = { r: 90 + i * 5, g: 90 + i * 5, b: 90 + i * 5 };
    const file = at('scans', i % 2 ? '1957' : '.', `奶奶 & <${i}>.jpg`);
    await sharp({ create: { width: 300, height: 200 + i, channels: 3, background } }).toFile(file);
  }
}

function entries(): Record<string, unknown>[] {
  const lines = readFileSync(at('colour', 'archive.jsonl'), 'utf8').split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

test('a manifest says what was done with every photo, and a page shows it', async () => {
  await scans(3);
  const { code, out } = await runCli([...archive, '--contact-sheet', 'sheet'], { cwd });
  expect(code).toBe(0);
  expect(out).toContain('archive.jsonl');
  expect(entries()).toHaveLength(3);
  for (const entry of entries()) {
    // Relative to the manifest's folder where it lies below it.
    const photo = path.resolve(at('colour'), String(entry['photo']));
    const [result] = entry['results'] as string[];
    expect(entry).toMatchObject({
      ...{ status: 'done', model: 'starter', provider: 'cpu', card: null, joules: null },
      ...{ sha256: hashOf(photo), resultSha256: [hashOf(at('colour', result!))] },
    });
    expect(entry['seconds']).toBeGreaterThan(0);
    expect(entry['inferenceSeconds']).toBeGreaterThan(0);
  }
  const table = readFileSync(at('colour', 'archive.csv'), 'utf8');
  expect(table.startsWith('\uFEFFphoto,sha256,results,resultSha256,status,model')).toBe(true);
  expect(table.trim().split('\r\n')).toHaveLength(4);

  const page = readFileSync(at('sheet', 'index.html'), 'utf8');
  const shown = [...page.matchAll(/<img src="([^"]+)"/g)].map((one) => one[1]!);
  expect(shown).toHaveLength(6);
  for (const name of shown) {
    const { width, height } = await sharp(at('sheet', name)).metadata();
    expect(Math.max(width, height)).toBeLessThanOrEqual(560);
  }
  expect(page).toContain('奶奶 &amp; &lt;0&gt;.jpg');
  expect(page).not.toMatch(/https?:\/\/|<script/);
  // The label inside the file goes along with the small picture.
  const after = shown.find((name) => name.includes('after'))!;
  expect(readFileSync(at('sheet', after)).includes('TC260')).toBe(true);
});

test('killed in the middle, a second run completes manifest and page', async () => {
  await scans(6);
  const killed = startCli([...archive, '--concurrency', '1'], { cwd });
  const file = at('colour', 'archive.jsonl');
  await until(() => existsSync(file) && readFileSync(file, 'utf8').split('\n').length > 2, 120_000);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const before = entries();
  expect(before.length).toBeLessThan(6);
  // A power cut in the middle of a line.
  appendFileSync(file, '{"photo":"../scans/torn');
  const again = await runCli(archive, { cwd });
  expect(again.err).toContain('archive.jsonl exists already');

  const { code } = await runCli([...archive, '--resume', '--contact-sheet', 'sheet'], { cwd });
  expect(code).toBe(0);
  const after = entries();
  expect(new Set(after.map(({ photo }) => photo)).size).toBe(6);
  expect(after).toHaveLength(6);
  for (const entry of before) expect(after).toContainEqual(entry);
  expect(readdirSync(at('sheet', 'pictures'))).toHaveLength(12);
  expect(readFileSync(file, 'utf8')).not.toContain('torn');
});

test('a manifest that was lost is made up from what is there, and says so', async () => {
  await scans(2);
  expect((await runCli(['colorize', 'scans', '-r', '-o', 'colour'], { cwd })).code).toBe(0);
  expect((await runCli([...archive, '--resume', '--lang', 'zh-CN'], { cwd })).code).toBe(0);
  expect(entries().map(({ status, model }) => [status, model])).toEqual([
    ['doneBefore', null],
    ['doneBefore', null],
  ]);
});

test('a photo that failed is in the manifest with its reason, until it is done', async () => {
  await scans(2);
  writeFileSync(at('scans', 'torn.jpg'), 'no photograph');
  const first = await runCli([...archive, '--lang', 'zh-CN'], { cwd });
  expect(first.code).toBe(1);
  const torn = () => entries().filter(({ photo }) => String(photo).endsWith('torn.jpg'));
  expect(entries()).toHaveLength(3);
  expect(torn()).toMatchObject([
    {
      ...{ status: 'failed', error: 'PHOTO_UNREADABLE', results: [], model: null, seconds: null },
      ...{ sha256: hashOf(at('scans', 'torn.jpg')), reason: expect.stringContaining('无法读取') },
    },
  ]);
  expect(readFileSync(at('colour', 'archive.csv'), 'utf8')).toContain(',failed,');

  await sharp({ create: { width: 90, height: 60, channels: 3, background: '#777' } }).toFile(
    at('scans', 'torn.jpg'),
  );
  expect((await runCli([...archive, '--resume'], { cwd })).code).toBe(0);
  expect(torn()).toMatchObject([{ status: 'done', error: null, reason: null }]);
  expect(entries()).toHaveLength(3);

  // Another option is other work, which finds results in its way: they are still what it tells of.
  expect((await runCli([...archive, '--resume', '--warmth', '0.5'], { cwd })).code).toBe(1);
  expect(entries().map(({ status }) => status)).toEqual(['done', 'done', 'done']);
});
