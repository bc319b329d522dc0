import { mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from '../../studio/errors/base.js';
import { translateWriteError } from './translate-error.js';

const PREFIX = 'huancai-render-';

/** Where renders put their pixels. */
export interface Scratch {
  /** A new, private folder. @throws {DiskUnavailable} */
  create(): Promise<string>;
}

/**
 * Folders for uncompressed pixels. Their names carry the process id: what a killed process left
 * behind is removed before the first new one is made.
 */
export function createScratch(parent: string): Scratch {
  let swept: Promise<void> | undefined;
  return {
    async create() {
      swept ??= sweep(parent);
      await swept;
      try {
        return await mkdtemp(path.join(parent, `${PREFIX}${process.pid}-`));
      } catch (error) {
        throw translateWriteError(error, parent);
      }
    },
  };
}

async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Another user's folder stays: that is no reason not to work.
    await rm(path.join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}
