import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DiskUnavailable, systemCodeOf } from '../studio/errors/index.js';

const prefix = 'huancai-work-';

/**
 * A folder for this process's rasters (up to 1.4 GB for the largest photo). It goes with the
 * process, also when that is told to end at once; what a killed one left is removed by the next.
 * @param parent null: the system's.
 * @throws {DiskUnavailable}
 */
export function makeTempFolder(parent: string | null): { dir: string; remove(): void } {
  const base = parent ?? os.tmpdir();
  try {
    removeAbandoned(base);
    const dir = mkdtempSync(path.join(base, `${prefix}${process.pid}-`));
    const remove = () => rmSync(dir, { recursive: true, force: true });
    process.once('exit', remove);
    return {
      dir,
      remove: () => {
        process.off('exit', remove);
        remove();
      },
    };
  } catch (error) {
    throw new DiskUnavailable(base, (error as Error).message, error);
  }
}

function removeAbandoned(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = /^huancai-work-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    try {
      rmSync(path.join(base, name), { recursive: true, force: true });
    } catch {
      // Another user's, in a folder that all share: that is no reason not to work.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, and is somebody else's.
    return systemCodeOf(error) === 'EPERM';
  }
}
