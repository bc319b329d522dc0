import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createFileBlobs } from '../../src/storage/file-blobs.js';
import { DiskUnavailable } from '../../src/studio/errors/index.js';
import { blobsContract } from '../contracts/blobs.js';
import { wallClock } from '../support/quiet.js';

const deps = { clock: wallClock };
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-blobs-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

blobsContract(async () => ({
  open: async () => createFileBlobs(deps, { folder: path.join(dir, 'contract') }),
  stop: async () => {},
}));

test('files and folders are for their owner only', async () => {
  const blobs = createFileBlobs(deps, { folder: path.join(dir, 'private') });
  const { key } = await blobs.putBytes('original', randomBytes(5));
  const file = await blobs.localFile(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
  // What comes in may be anybody's to read.
  const upload = path.join(dir, 'upload');
  writeFileSync(upload, randomBytes(5), { mode: 0o644 });
  const put = await blobs.putFile('original', upload);
  expect(statSync(await blobs.localFile(put.key)).mode & 0o777).toBe(0o600);
});

test('a blob put again is young again', async () => {
  const blobs = createFileBlobs(deps, { folder: path.join(dir, 'young') });
  const bytes = randomBytes(5);
  const { key } = await blobs.putBytes('preview', bytes);
  const file = await blobs.localFile(key);
  utimesSync(file, 1, 1);
  await blobs.putBytes('preview', bytes);
  expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(60_000);
});

test('what a crash left under way is removed, what is under way stays', async () => {
  const folder = path.join(dir, 'crash');
  const blobs = createFileBlobs(deps, { folder });
  const incoming = path.join(folder, '.incoming');
  mkdirSync(incoming, { recursive: true });
  for (const name of ['old', 'new']) writeFileSync(path.join(incoming, name), 'x');
  utimesSync(path.join(incoming, 'old'), 1, 1);
  for await (const blob of blobs.list()) throw new Error(`unexpected ${blob.key}`);
  expect(readdirSync(incoming)).toEqual(['new']);
});

/** A disk of its own, as small as we like. */
const mount = path.join(dir, 'small');
const canMount = process.platform === 'linux' && process.getuid?.() === 0;

test('a full disk is DiskUnavailable, leaves nothing behind and recovers', async () => {
  const folder = canMount ? smallDisk() : readOnlyFolder();
  const blobs = createFileBlobs(deps, { folder });
  try {
    if (canMount) await blobs.putBytes('original', randomBytes(600_000));
    const source = path.join(dir, 'big');
    writeFileSync(source, randomBytes(900_000));
    await expect(blobs.putBytes('original', randomBytes(900_000))).rejects.toThrow(DiskUnavailable);
    await expect(blobs.putFile('original', source)).rejects.toThrow(DiskUnavailable);
    expect(existsSync(source)).toBe(true);
    if (!canMount) return;
    expect(readdirSync(path.join(folder, '.incoming'))).toEqual([]);
    await expect(blobs.putBytes('original', randomBytes(100_000))).resolves.toBeDefined();
  } finally {
    if (canMount) execFileSync('umount', [mount]);
  }
});

function smallDisk(): string {
  mkdirSync(mount, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
  return mount;
}

function readOnlyFolder(): string {
  mkdirSync(mount, { recursive: true, mode: 0o500 });
  return mount;
}
