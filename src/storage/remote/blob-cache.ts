import { chmod, copyFile, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from '../../studio/errors/base.js';
import type { Clock } from '../../studio/ports/basics.js';
import { steadyNow } from '../../studio/steady-now.js';
import { parseKey } from '../blob-keys.js';

/** How much of the bucket is kept here. */
export interface BlobCacheConfig {
  readonly folder: string;
  /** The oldest go when there is more than this. */
  readonly maxBytes: number;
  /** Unused for longer than this: removed. */
  readonly maxAgeMs: number;
}

/** Whatever was used this recently may be in use: never removed. */
const inUseMs = 30 * 60_000;
const trimEveryMs = 60_000;
/** A download under way for this long was left by a crash. */
const abandonedMs = 6 * 3_600_000;

/** Copies of remote blobs on the local disk: `<folder>/<kind>/<sha256>`. Processes may share it. */
export class BlobCache {
  private readonly incoming: string;
  private trimmedMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly config: BlobCacheConfig,
  ) {
    this.incoming = path.join(config.folder, '.incoming');
  }

  get folder(): string {
    return this.config.folder;
  }

  /** The copy's path if there is one; it counts as used now. */
  async find(key: string): Promise<string | undefined> {
    const file = this.fileOf(key);
    const now = new Date(this.clock.now());
    return utimes(file, now, now).then(
      () => file,
      () => undefined,
    );
  }

  /** A path for a download of this process. */
  async partOf(key: string): Promise<string> {
    await mkdir(this.incoming, { recursive: true, mode: 0o700 });
    return path.join(this.incoming, `${key.replace('/', '-')}.${process.pid}`);
  }

  /** Take a whole, checked file in; it is moved. @returns its path. */
  async adopt(key: string, ready: string): Promise<string> {
    const file = this.fileOf(key);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await chmod(ready, 0o600);
    try {
      await rename(ready, file);
    } catch (error) {
      if (systemCodeOf(error) !== 'EXDEV') throw error;
      const part = `${await this.partOf(key)}.copy`;
      await copyFile(ready, part);
      await rename(part, file);
      await rm(ready, { force: true });
    }
    const now = new Date(this.clock.now());
    await utimes(file, now, now).catch(() => {});
    await this.trim();
    return file;
  }

  async forget(key: string): Promise<void> {
    await rm(this.fileOf(key), { force: true });
  }

  /** Remove what is too old or too much; at most once a minute. */
  private async trim(): Promise<void> {
    const nowMs = steadyNow(this.clock);
    if (nowMs - this.trimmedMs < trimEveryMs) return;
    this.trimmedMs = nowMs;
    const { folder, maxBytes, maxAgeMs } = this.config;
    const kept: { file: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(folder, { recursive: true })) {
      const file = path.join(folder, name);
      const facts = await stat(file).catch(() => undefined);
      if (!facts?.isFile()) continue;
      const ageMs = nowMs - facts.mtimeMs;
      const limitMs = path.dirname(file) === this.incoming ? abandonedMs : maxAgeMs;
      if (ageMs > Math.max(limitMs, inUseMs)) await rm(file, { force: true });
      else kept.push({ file, bytes: facts.size, usedMs: facts.mtimeMs });
    }
    let sum = kept.reduce((total, { bytes }) => total + bytes, 0);
    for (const { file, bytes, usedMs } of kept.sort((a, b) => a.usedMs - b.usedMs)) {
      if (sum <= maxBytes || nowMs - usedMs < inUseMs) break;
      await rm(file, { force: true });
      sum -= bytes;
    }
  }

  private fileOf(key: string): string {
    const parsed = parseKey(key);
    if (!parsed) throw new Error(`not a key: ${key}`);
    return path.join(this.config.folder, parsed.kind, parsed.sha256);
  }
}
