import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { DiskUnavailable, IntakeClosed } from '../studio/errors/index.js';
import type { Clock } from '../studio/ports/basics.js';
import { steadyNow } from '../studio/steady-now.js';

/** Where half uploads lie, how many at most, and how long nobody need go on with one. */
export interface PartialUploadLimits {
  readonly dir: string;
  readonly atOnce: number;
  readonly keepMs: number;
}

/** Uploads that go on where they were cut: one file per upload, named by a number of the sender's. */
export class PartialUploads {
  private readonly writing = new Map<string, { body: Readable; ended: Promise<unknown> }>();
  private cleanedMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: PartialUploadLimits,
  ) {}

  fileOf(id: string): string {
    return path.join(this.limits.dir, `${id}.part`);
  }

  /** Bytes that are here. */
  async heldBytes(id: string): Promise<number> {
    return stat(this.fileOf(id)).then(
      ({ size }) => size,
      () => 0,
    );
  }

  /**
   * Write a body behind what is here, at most up to `totalBytes`; what arrived before a cut stays.
   * A sender that comes again has given up its earlier try, whose connection may still hang.
   * @returns bytes that are here now; undefined when `startBytes` is not where it ends.
   * @throws {DiskUnavailable | IntakeClosed}
   */
  async append(
    id: string,
    body: Readable,
    startBytes: number,
    totalBytes: number,
  ): Promise<number | undefined> {
    await this.makeRoom();
    const earlier = this.writing.get(id);
    earlier?.body.destroy();
    await earlier?.ended;
    if ((await this.heldBytes(id)) !== startBytes) return undefined;
    const work = this.write(id, body, startBytes, totalBytes);
    const entry = { body, ended: work.catch(() => {}) };
    this.writing.set(id, entry);
    try {
      return await work;
    } finally {
      if (this.writing.get(id) === entry) this.writing.delete(id);
    }
  }

  /** sha256 of what is here, hex. */
  async digest(id: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(this.fileOf(id))) hash.update(chunk);
    return hash.digest('hex');
  }

  async drop(id: string): Promise<void> {
    this.writing.get(id)?.body.destroy();
    await rm(this.fileOf(id), { force: true });
  }

  /** Keep the newest `most` of the uploads whose numbers begin so; whoever misses one begins again. */
  async dropOldest(prefix: string, most: number): Promise<void> {
    const { dir } = this.limits;
    const names = (await readdir(dir).catch(() => [])).filter((name) => name.startsWith(prefix));
    if (names.length <= most) return;
    const aged = await Promise.all(
      names.map(async (name) => {
        const found = await stat(path.join(dir, name)).catch(() => undefined);
        return { id: name.replace(/\.part$/, ''), changedMs: found?.mtimeMs ?? 0 };
      }),
    );
    aged.sort((a, b) => b.changedMs - a.changedMs);
    for (const { id } of aged.slice(most)) await this.drop(id);
  }

  private async write(id: string, body: Readable, startBytes: number, totalBytes: number) {
    const handle = await open(this.fileOf(id), startBytes === 0 ? 'w' : 'r+', 0o600);
    let at = startBytes;
    try {
      for await (const chunk of body) {
        const bytes = (chunk as Buffer).subarray(0, totalBytes - at);
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at);
          done += bytesWritten;
          at += bytesWritten;
        }
      }
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      if (syscall === 'write') throw new DiskUnavailable(this.limits.dir, code ?? '', error);
      // Cut off: the sender asks how far it came and goes on.
      throw error;
    } finally {
      await handle.close();
    }
    return at;
  }

  /** Remove what nobody went on with, now and then; refuse when far too many lie about. */
  private async makeRoom(): Promise<void> {
    const { dir, atOnce, keepMs } = this.limits;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const nowMs = steadyNow(this.clock);
    const names = await readdir(dir);
    if (names.length > atOnce) throw new IntakeClosed('backlog');
    if (nowMs - this.cleanedMs < keepMs / 6) return;
    this.cleanedMs = nowMs;
    for (const name of names) {
      const file = path.join(dir, name);
      const facts = await stat(file).catch(() => undefined);
      if (facts && nowMs - facts.mtimeMs > keepMs) await rm(file, { force: true });
    }
  }
}
