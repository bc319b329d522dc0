import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { PhotoUnreadable, systemCodeOf } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import { steadyNow } from '../../studio/steady-now.js';
import { savePhoto } from '../save-photo.js';

/** The studio has its own copy by then; an intake that a crash cut off is repeated before. */
const takenMs = 3_600_000;
/** Nobody came for it: the photo was refused. */
const forgottenMs = 2 * 86_400_000;
const takenSuffix = '.taken';

/** Pictures that wait for the studio's intake. */
export interface WechatSpool {
  /**
   * Write a picture down before its message is gone.
   * @param key the message's id; the same one again replaces the file.
   * @returns what `take` understands, and the size.
   * @throws {PhotoFileTooLarge}
   */
  save(key: string, bytes: Readable): Promise<{ fileRef: string; bytes: number }>;
  /** Copy into `file`. @throws {PhotoUnreadable} it is no longer here. */
  take(fileRef: string, file: string): Promise<void>;
  /** Remove what was taken and what nobody wanted. */
  clean(): Promise<void>;
}

/** Pictures between WeChat and the studio's intake: a message object does not survive a restart. */
export function createWechatSpool({ clock }: { clock: Clock }, folder: string): WechatSpool {
  return {
    async save(key, source) {
      const fileRef = createHash('sha256').update(key).digest('hex').slice(0, 32);
      const file = path.join(folder, fileRef);
      const part = `${file}.part`;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        const bytes = await savePhoto(source, part);
        await rename(part, file);
        return { fileRef, bytes };
      } finally {
        await rm(part, { force: true });
      }
    },
    async take(fileRef, file) {
      if (!/^[0-9a-f]{32}$/.test(fileRef)) throw new PhotoUnreadable('not a file of ours');
      const kept = path.join(folder, fileRef);
      const taken = kept + takenSuffix;
      await rename(kept, taken).catch(() => {});
      try {
        const now = clock.now() / 1_000;
        await utimes(taken, now, now);
        await copyFile(taken, file);
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') throw error;
        throw new PhotoUnreadable('the file is no longer here', undefined, 'gone');
      }
    },
    async clean() {
      for (const name of await readdir(folder).catch(() => [])) {
        const file = path.join(folder, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: clock.now() }));
        const keepMs = name.endsWith(takenSuffix) ? takenMs : forgottenMs;
        if (steadyNow(clock) - mtimeMs > keepMs) await rm(file, { force: true });
      }
    },
  };
}
