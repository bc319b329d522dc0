import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRemoteBlobs } from '../../src/storage/remote/remote-blobs.js';
import { createS3Store } from '../../src/storage/remote/s3-store.js';
import { BlobDamaged, BlobMissing, BlobsAway } from '../../src/studio/errors/index.js';
import { blobsContract } from '../contracts/blobs.js';
import { type S3Emulator, type S3Fault, startS3 } from '../emulators/s3/server.js';
import { wallClock } from '../support/quiet.js';

/** Long enough for a busy machine: only what really stalls may run into it. */
const stallMs = 1_500;
const partBytes = 5 * 1024 * 1024;
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-s3-'));
let caches = 0;
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A worker's view: a cache of its own unless told. */
function open(s3: S3Emulator, changes: { secretAccessKey?: string; bucket?: string } = {}) {
  const remote = createS3Store(
    { clock: wallClock },
    {
      ...{ endpoint: s3.endpoint, bucket: s3.bucketName, ...s3.keys, ...changes },
      ...{ region: 'cn-hangzhou', pathStyle: true, prefix: 'shop', stallMs, partBytes },
    },
  );
  caches += 1;
  const folder = path.join(dir, `cache${caches}`);
  const patience = { stallMs, retryDelayMs: 5, tries: 4 };
  const limits = { maxBytes: 1e9, maxAgeMs: 3_600_000 };
  return createRemoteBlobs({ remote, clock: wallClock }, { folder, ...limits, ...patience });
}

blobsContract(async () => {
  const s3 = await startS3();
  return { open: async () => open(s3), stop: () => s3.close() };
});

describe('faults', () => {
  let s3: S3Emulator;
  beforeEach(async () => {
    s3 = await startS3();
  });
  afterEach(() => s3.close());

  /** The next requests of that kind meet these. */
  const plan = (what: string, ...faults: S3Fault[]) => {
    s3.faults = (asked) => (asked === what ? faults.shift() : undefined);
  };
  const count = (what: string) => s3.log.filter((line) => line === what).length;
  const asked = (what: string) => s3.log.filter((line) => line.startsWith(what)).length;
  const file = (bytes: Buffer) => {
    const name = path.join(dir, randomBytes(6).toString('hex'));
    writeFileSync(name, bytes);
    return name;
  };
  const download = async (key: string) => readFileSync(await open(s3).localFile(key));

  test.each(['http500', 'slowDown', 'cut', 'stall', 'replyLost'] as const)(
    'an upload that meets %s is sent again',
    async (fault) => {
      plan('PUT object', fault, fault);
      const bytes = randomBytes(300_000);
      const { key } = await open(s3).putBytes('preview', bytes);
      expect((await download(key)).equals(bytes)).toBe(true);
    },
  );

  test.each(['http500', 'cut', 'stall', 'wrongBytes'] as const)(
    'a download that meets %s ends with the right bytes',
    async (fault) => {
      const bytes = randomBytes(300_000);
      const { key } = await open(s3).putBytes('original', bytes);
      plan('GET object', fault, fault);
      expect((await download(key)).equals(bytes)).toBe(true);
      expect(asked('GET object')).toBeGreaterThan(1);
    },
  );

  test('a download goes on where it was cut', async () => {
    const bytes = randomBytes(4_000_000);
    const { key } = await open(s3).putBytes('original', bytes);
    // More cuts than tries: each brings something forward.
    plan('GET object', ...Array.from({ length: 8 }, () => 'cut' as const));
    expect((await download(key)).equals(bytes)).toBe(true);
  });

  test('a large upload goes on with the parts that are there, whoever sent them', async () => {
    const bytes = randomBytes(partBytes * 3 + 1000);
    plan('PUT part');
    let parts = 0;
    s3.faults = (what) => {
      if (what !== 'PUT part') return undefined;
      parts += 1;
      return parts >= 3 ? 'http500' : undefined;
    };
    await expect(open(s3).putFile('master', file(bytes))).rejects.toThrow(BlobsAway);
    expect(count('PUT part')).toBe(2);
    s3.faults = () => undefined;
    const { key } = await open(s3).putFile('master', file(bytes));
    expect(count('PUT part')).toBe(4);
    expect(count('POST uploads')).toBe(1);
    expect((await download(key)).equals(bytes)).toBe(true);
    expect(s3.bucket.uploads.size).toBe(0);
  });

  test.each(['cut', 'stall', 'replyLost'] as const)('a part that meets %s', async (fault) => {
    const bytes = randomBytes(partBytes * 2 + 10);
    plan('PUT part', fault, fault);
    const { key } = await open(s3).putFile('master', file(bytes));
    expect((await download(key)).equals(bytes)).toBe(true);
  });

  test('the answer to completing is lost: the object is there', async () => {
    const bytes = randomBytes(partBytes + 10);
    plan('POST complete', 'replyLost');
    const { key } = await open(s3).putFile('master', file(bytes));
    expect((await download(key)).equals(bytes)).toBe(true);
  });

  test('wrong bytes again and again are never handed on', async () => {
    const { key } = await open(s3).putBytes('original', randomBytes(1000));
    s3.faults = (what) => (what === 'GET object' ? 'wrongBytes' : undefined);
    await expect(open(s3).localFile(key)).rejects.toThrow(BlobDamaged);
    s3.faults = () => undefined;
    await expect(open(s3).localFile(key)).resolves.toBeDefined();
  });

  test.each([
    ['the server is half an hour ahead', 30 * 60_000],
    ['the server is half an hour behind', -30 * 60_000],
  ])('%s: the client corrects its clock', async (_what, skewMs) => {
    s3.skewMs = skewMs;
    const bytes = randomBytes(1000);
    const blobs = open(s3);
    const { key } = await blobs.putBytes('original', bytes);
    expect(s3.log.some((line) => line.endsWith('RequestTimeTooSkewed'))).toBe(true);
    expect((await download(key)).equals(bytes)).toBe(true);
  });

  test('a wrong key or bucket is told at once and is nobody’s lost photo', async () => {
    const { key } = await open(s3).putBytes('original', randomBytes(10));
    const stranger = open(s3, { secretAccessKey: 'another' });
    await expect(stranger.localFile(key)).rejects.toThrow(/SignatureDoesNotMatch/);
    await expect(stranger.putBytes('preview', randomBytes(10))).rejects.toThrow(BlobsAway);
    const elsewhere = open(s3, { bucket: 'nobody' });
    await expect(elsewhere.localFile(key)).rejects.toThrow(/NoSuchBucket/);
    expect(elsewhere.reachable()).toBe(false);
  });

  test('away, and back: the store says whether it can be reached', async () => {
    const blobs = open(s3);
    const { key } = await blobs.putBytes('original', randomBytes(10));
    const other = open(s3);
    s3.faults = () => 'http500';
    await expect(other.localFile(key)).rejects.toThrow(BlobsAway);
    expect(other.reachable()).toBe(false);
    s3.faults = () => undefined;
    await other.localFile(key);
    expect(other.reachable()).toBe(true);
    await expect(other.localFile(key.replace(/.$/, '0').replace(/.$/, '1'))).rejects.toThrow(
      BlobMissing,
    );
  });

  test('an old object is written again when it is put again', async () => {
    const bytes = randomBytes(100);
    const { key } = await open(s3).putBytes('preview', bytes);
    const name = `shop/${key}`;
    const object = s3.bucket.objects.get(name)!;
    s3.bucket.objects.set(name, { ...object, modifiedMs: 0 });
    await open(s3).putBytes('preview', bytes);
    expect(s3.bucket.objects.get(name)!.modifiedMs).toBeGreaterThan(0);
    expect(count('PUT object')).toBe(2);
    await open(s3).putBytes('preview', bytes);
    expect(count('PUT object')).toBe(2);
  });

  test('half uploads of yesterday are aborted by the sweeper’s listing', async () => {
    s3.bucket.begin('shop/master/x');
    s3.bucket.begin('shop/master/y');
    const [first] = [...s3.bucket.uploads.entries()];
    s3.bucket.uploads.set(first![0], { ...first![1], startedMs: 0 });
    for await (const blob of open(s3).list()) throw new Error(`unexpected ${blob.key}`);
    expect([...s3.bucket.uploads.values()].map(({ key }) => key)).toEqual(['shop/master/y']);
  });
});
