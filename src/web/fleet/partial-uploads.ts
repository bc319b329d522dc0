import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { DiskUnavailable, IntakeClosed } from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import type { Clock } from '../../studio/ports/basics.js';

/** Uploads that go on where they were cut: one file per upload, named by a number of the sender's. */
export class PartialUploads {
  private readonly writing = new Map<string, { body: Readable; ended: Promise<unknown> }>();
  private cleanedMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly dir: string,
  ) {}

  fileOf(id: string): string {
    return path.join(this.dir, `${id}.part`);
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
    await rm(this.fileOf(id), { force: true });
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
      if (syscall === 'write') throw new DiskUnavailable(this.dir, code ?? '', error);
      // Cut off: the sender asks how far it came and goes on.
      throw error;
    } finally {
      await handle.close();
    }
    return at;
  }

  /** Remove what nobody went on with, now and then; refuse when far too many lie about. */
  private async makeRoom(): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const nowMs = this.clock.now();
    const names = await readdir(this.dir);
    if (names.length > limits.fleet.uploadsAtOnce) throw new IntakeClosed('backlog');
    if (nowMs - this.cleanedMs < limits.web.staleUploadMs / 6) return;
    this.cleanedMs = nowMs;
    for (const name of names) {
      const file = path.join(this.dir, name);
      const facts = await stat(file).catch(() => undefined);
      if (facts && nowMs - facts.mtimeMs > limits.web.staleUploadMs)
        await rm(file, { force: true });
    }
  }
}
