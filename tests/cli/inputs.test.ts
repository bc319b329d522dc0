import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findInputs } from '../../src/cli/colorize/inputs.js';
import { createOddLinks } from '../../src/cli/colorize/odd-links.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-inputs-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function touch(...names: string[]): void {
  for (const name of names) {
    mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    writeFileSync(path.join(cwd, name), '');
  }
}

async function find(args: string[], options: { recursive?: boolean; outputDir?: string } = {}) {
  const links = createOddLinks(cwd);
  const { photos } = await findInputs(args, { cwd, recursive: false, links, ...options });
  return photos.map((photo) => photo.relative);
}

test('a folder gives its pictures, sorted, and looks deeper only when asked', async () => {
  touch('in/b.JPG', 'in/a.tif', 'in/notes.txt', 'in/.hidden.jpg', 'in/sub/c.webp', 'in/.git/d.png');
  expect(await find(['in'])).toEqual(['a.tif', 'b.JPG']);
  expect(await find(['in'], { recursive: true })).toEqual(['a.tif', 'b.JPG', 'sub/c.webp']);
});

test('a glob keeps the folders below its fixed part', async () => {
  touch('scans/1/a.jpg', 'scans/2/deep/b.jpg', 'scans/2/deep/b.txt');
  expect(await find(['scans/**/*.jpg'])).toEqual(['1/a.jpg', '2/deep/b.jpg']);
  expect(await find([path.join(cwd, 'scans/*/a.jpg')])).toEqual(['1/a.jpg']);
  expect(await find(['scans/**/*'])).toEqual(['1/a.jpg', '2/deep/b.jpg']);
});

test('a file with pattern characters in its name is that file', async () => {
  touch('a[1].jpg', 'a1.jpg');
  expect(await find(['a[1].jpg'])).toEqual(['a[1].jpg']);
});

test('a photo named twice, or through a link, is coloured once', async () => {
  touch('in/a.jpg');
  symlinkSync(path.join(cwd, 'in'), path.join(cwd, 'link'));
  expect(await find(['in/a.jpg', 'in', './in/../in/a.jpg', 'link/a.jpg'])).toEqual(['a.jpg']);
});

test('a missing file stays in the list, to fail alone; an empty folder gives nothing', async () => {
  touch('a.jpg');
  mkdirSync(path.join(cwd, 'empty'));
  expect(await find(['gone.jpg', 'a.jpg', 'empty', '*.png'])).toEqual(['gone.jpg', 'a.jpg']);
});

test('results inside the searched folder are not searched', async () => {
  touch('in/a.jpg', 'in/colour/a.jpg');
  const outputDir = path.join(cwd, 'in/colour');
  expect(await find(['in'], { recursive: true, outputDir })).toEqual(['a.jpg']);
  expect(await find(['in/**/*.jpg'], { outputDir })).toEqual(['a.jpg']);
});

test('results may go above the searched folder, or into it', async () => {
  touch('scans/a.jpg', 'scans/deep/b.jpg');
  const all = ['a.jpg', 'deep/b.jpg'];
  for (const outputDir of [cwd, path.join(cwd, 'scans'), path.dirname(cwd)]) {
    expect(await find(['scans'], { recursive: true, outputDir })).toEqual(all);
    expect(await find(['scans/**/*.jpg'], { outputDir })).toEqual(all);
  }
});

test('a glob that meets a photo again through a loop of links names it without the link', async () => {
  touch('in/a.jpg', 'in/sub/b.jpg');
  symlinkSync(path.join(cwd, 'in'), path.join(cwd, 'in/sub/again'));
  expect((await find(['in/**/*.jpg'])).sort()).toEqual(['a.jpg', 'sub/b.jpg']);
  expect(await find(['in'], { recursive: true })).toEqual(['a.jpg', 'sub/b.jpg']);
});
