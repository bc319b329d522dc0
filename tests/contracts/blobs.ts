import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BlobMissing, BlobsNotOffered } from '../../src/studio/errors/index.js';
import type { Blobs } from '../../src/studio/ports/blobs.js';

export interface BlobsHarness {
  /** A store as another process would open it, on the same data. */
  open(): Promise<Blobs>;
  stop(): Promise<void>;
  /** False: a worker's view, which neither deletes nor lists. */
  readonly keeper?: boolean;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Every promise of the `Blobs` port. */
export function blobsContract(start: () => Promise<BlobsHarness>): void {
  let harness: BlobsHarness;
  let blobs: Blobs;
  let dir: string;
  beforeAll(async () => {
    harness = await start();
    blobs = await harness.open();
    dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-put-'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await harness?.stop();
  });

  const file = (bytes: Uint8Array) => {
    const name = path.join(dir, randomBytes(6).toString('hex'));
    writeFileSync(name, bytes);
    return name;
  };

  test('what is put comes back, named by kind and content', async () => {
    const bytes = randomBytes(300_000);
    const ref = await blobs.putBytes('chroma', bytes);
    expect(ref).toEqual({ key: `chroma/${sha256(bytes)}`, sha256: sha256(bytes), bytes: 300_000 });
    const again = await harness.open();
    expect(readFileSync(await again.localFile(ref.key)).equals(bytes)).toBe(true);
    expect(await again.has(ref.key)).toBe(true);
  });

  test('a file is moved in; the same content again is a success', async () => {
    const bytes = randomBytes(70_000);
    const first = file(bytes);
    const second = file(bytes);
    const ref = await blobs.putFile('original', first);
    expect(await blobs.putFile('original', second)).toEqual(ref);
    expect([first, second].some((name) => existsSync(name))).toBe(false);
    expect(readFileSync(await blobs.localFile(ref.key)).equals(bytes)).toBe(true);
    expect((await blobs.putBytes('original', bytes)).key).toBe(ref.key);
  });

  test('many writers of one content agree', async () => {
    const bytes = randomBytes(200_000);
    const other = await harness.open();
    const refs = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        i % 2 ? blobs.putFile('master', file(bytes)) : other.putBytes('master', bytes),
      ),
    );
    expect(new Set(refs.map((ref) => ref.key)).size).toBe(1);
    expect(readFileSync(await blobs.localFile(refs[0]!.key)).equals(bytes)).toBe(true);
  });

  test('an empty blob is a blob', async () => {
    const { key, bytes } = await blobs.putBytes('zip', new Uint8Array());
    expect(bytes).toBe(0);
    expect(readFileSync(await blobs.localFile(key)).length).toBe(0);
  });

  test('deleted is gone; deleting again is a success', async () => {
    const { key } = await blobs.putBytes('preview', randomBytes(10));
    if (harness.keeper === false) {
      await expect(blobs.delete(key)).rejects.toThrow(BlobsNotOffered);
      expect(await blobs.has(key)).toBe(true);
      return;
    }
    await blobs.delete(key);
    await blobs.delete(key);
    expect(await blobs.has(key)).toBe(false);
    await expect(blobs.localFile(key)).rejects.toThrow(BlobMissing);
  });

  test.each([
    '../../etc/passwd',
    'original/../../../etc/passwd',
    `original/${'A'.repeat(64)}`,
    `elsewhere/${'a'.repeat(64)}`,
    `original/${'a'.repeat(63)}`,
    `original/${'a'.repeat(64)}\0`,
    '',
  ])('%j is no key', async (key) => {
    await expect(blobs.localFile(key)).rejects.toThrow(BlobMissing);
    expect(await blobs.has(key)).toBe(false);
    await expect(blobs.delete(key)).resolves.toBeUndefined();
  });

  test('all keys are listed with size and age', async () => {
    const before = Date.now() - 5_000;
    const { key } = await blobs.putBytes('sheet', randomBytes(1234));
    if (harness.keeper === false) {
      expect(() => blobs.list()).toThrow(BlobsNotOffered);
      return;
    }
    const listed = new Map<string, { bytes: number; modifiedMs: number }>();
    for await (const blob of blobs.list()) listed.set(blob.key, blob);
    expect(listed.get(key)?.bytes).toBe(1234);
    expect(listed.get(key)!.modifiedMs).toBeGreaterThan(before);
    expect([...listed.keys()].every((one) => /^[a-z]+\/[0-9a-f]{64}$/.test(one))).toBe(true);
  });

  test('free space is a number or unknown', async () => {
    const free = await blobs.freeBytes();
    expect(free === undefined || free > 0).toBe(true);
  });
}
