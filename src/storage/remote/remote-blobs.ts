import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { BlobDamaged, BlobMissing, BlobsAway } from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import type { Clock } from '../../studio/ports/basics.js';
import type { BlobKind, BlobRef, Blobs } from '../../studio/ports/blobs.js';
import { keyOf, parseKey } from '../blob-keys.js';
import { onDisk } from '../on-disk.js';
import { BlobCache, type BlobCacheConfig } from './blob-cache.js';
import { digestOf, flowing } from './flowing.js';
import { RemoteFault, type RemoteStore, reasonOf } from './remote-store.js';

/** The copy kept here, and the patience with the far side. */
export interface RemoteBlobsConfig extends BlobCacheConfig {
  /** No byte for this long breaks a transfer off, ms. */
  readonly stallMs: number;
  /** Pause before the second try, ms; doubles with each further one. */
  readonly retryDelayMs: number;
  /** Tries in a row that bring nothing forward. */
  readonly tries: number;
}

/** Blobs of another machine, with what a worker wants to know before it takes work. */
export interface RemoteBlobs extends Blobs {
  /** False from a failure that outlasted all tries until the store answers again. */
  reachable(): boolean;
}

const probeEveryMs = 2_000;
/** Any key: the question is whether somebody answers. */
const probeKey = keyOf('original', '0'.repeat(64));

/**
 * Blobs in a remote store: patient, checked by sha256 in both directions, downloads that go on
 * where they were cut, and a cache on the local disk.
 */
export function createRemoteBlobs(
  { remote, clock }: { remote: RemoteStore; clock: Clock },
  config: RemoteBlobsConfig,
): RemoteBlobs {
  const cache = new BlobCache(clock, config);
  const underway = new Map<string, Promise<string>>();
  const health = new Health(remote, clock);
  const patiently = <T>(key: string, work: () => Promise<T>) =>
    health.watch(() => insist(remote.place, key, work, config));

  async function put(kind: BlobKind, file: string): Promise<BlobRef> {
    const digest = await digestOf(file);
    const sha256 = digest.sha256.toString('hex');
    const { bytes } = digest;
    const key = keyOf(kind, sha256);
    await patiently(key, async () => {
      const there = await remote.head(key);
      // An old one is written again: the sweeper of orphans must not take what has just been put.
      const young = there && clock.now() - there.modifiedMs < limits.studio.orphanAgeMs / 2;
      if (!young || there.bytes !== bytes) await remote.upload(key, { file, bytes, sha256 });
    });
    await cache.adopt(key, file);
    return { key, sha256, bytes };
  }

  async function download(key: string): Promise<string> {
    const part = await cache.partOf(key);
    try {
      await patiently(key, () => fetchWhole(remote, key, part, config.stallMs));
      return await cache.adopt(key, part);
    } finally {
      await rm(part, { force: true });
    }
  }

  return {
    putFile: (kind, file) => onDisk(cache.folder, () => put(kind, file)),

    putBytes: (kind, bytes) =>
      onDisk(cache.folder, async () => {
        const file = `${await cache.partOf(keyOf(kind, 'bytes'))}.${randomUUID()}`;
        await writeFile(file, bytes, { mode: 0o600 });
        return put(kind, file).finally(() => rm(file, { force: true }));
      }),

    localFile: async (key) => {
      if (!parseKey(key)) throw new BlobMissing(key);
      const cached = await cache.find(key);
      if (cached) return cached;
      const running = underway.get(key) ?? onDisk(cache.folder, () => download(key));
      underway.set(key, running);
      return running.finally(() => underway.delete(key));
    },

    has: async (key) =>
      parseKey(key) !== undefined && (await patiently(key, () => remote.head(key))) !== undefined,

    delete: async (key) => {
      if (!parseKey(key)) return;
      await patiently(key, () => remote.delete(key));
      await cache.forget(key);
    },

    list: () => remote.list(),

    // Everything that comes in or goes out passes through the cache's disk.
    freeBytes: () =>
      onDisk(cache.folder, async () => {
        await mkdir(cache.folder, { recursive: true, mode: 0o700 });
        const { bavail, bsize } = await statfs(cache.folder);
        return bavail * bsize;
      }),

    reachable: () => health.good(),
  };
}

/** Bring `part` to the whole blob, going on where it ends. @throws {RemoteFault} */
async function fetchWhole(remote: RemoteStore, key: string, part: string, stallMs: number) {
  const held = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  const { body, startBytes, totalBytes } = await remote.read(key, held);
  const handle = await open(part, startBytes === 0 ? 'w' : 'r+', 0o600);
  let at = startBytes;
  const cutOff = (reason: string, cause?: unknown) =>
    new RemoteFault('broken', reason, { cause, progressed: at > startBytes });
  try {
    for await (const chunk of flowing(body, stallMs)) {
      if (at + chunk.length > totalBytes) throw new RemoteFault('broken', 'more bytes than said');
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, at);
        done += bytesWritten;
        at += bytesWritten;
      }
    }
  } catch (error) {
    if (error instanceof RemoteFault || (error as NodeJS.ErrnoException).syscall === 'write')
      throw error;
    throw cutOff(reasonOf(error), error);
  } finally {
    body.destroy();
    await handle.close();
  }
  if (at < totalBytes) throw cutOff(`cut after ${at} of ${totalBytes} bytes`);
  const found = (await digestOf(part)).sha256.toString('hex');
  if (found === parseKey(key)?.sha256) return;
  await rm(part, { force: true });
  throw new RemoteFault('damaged', `sha256 is ${found.slice(0, 12)}…`);
}

/** Try until it works or nothing helps. @throws {BlobMissing | BlobsAway | BlobDamaged} */
async function insist<T>(
  place: string,
  key: string,
  work: () => Promise<T>,
  { tries, retryDelayMs }: RemoteBlobsConfig,
): Promise<T> {
  let failures = 0;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RemoteFault)) throw error;
      if (error.kind === 'missing') throw new BlobMissing(key);
      if (error.kind === 'refused') throw new BlobsAway(place, error.message, error.cause);
      failures = error.progressed ? 1 : failures + 1;
      if (failures >= tries) {
        if (error.kind === 'damaged') throw new BlobDamaged(key, error.message);
        throw new BlobsAway(place, error.message, error.cause);
      }
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs * 2 ** (failures - 1)));
    }
  }
}

/** Remembers whether the store answers; after a failure it asks now and then. */
class Health {
  private away = false;
  private askedMs = 0;

  constructor(
    private readonly remote: RemoteStore,
    private readonly clock: Clock,
  ) {}

  async watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.away = false;
      return result;
    } catch (error) {
      if (error instanceof BlobsAway) this.away = true;
      throw error;
    }
  }

  good(): boolean {
    const nowMs = this.clock.now();
    if (this.away && nowMs - this.askedMs > probeEveryMs) {
      this.askedMs = nowMs;
      this.remote.head(probeKey).then(
        () => {
          this.away = false;
        },
        () => {},
      );
    }
    return !this.away;
  }
}
