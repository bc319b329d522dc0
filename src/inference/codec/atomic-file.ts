import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from './make-folder.js';
import { translateWriteError } from './translate-error.js';

/**
 * Writes a file under a temporary name beside its target and moves it there when it is whole. No
 * fsync: a result lost in a power cut is rendered again from the photo, which is still there.
 * Whatever goes wrong, the target is as it was and nothing is left behind.
 * @returns size of the file, bytes.
 */
export async function writeAtomically(
  target: string,
  write: (temporary: string) => Promise<void>,
): Promise<number> {
  const name = `.${path.basename(target)}.${randomBytes(6).toString('hex')}.part`;
  const temporary = path.join(path.dirname(target), name);
  try {
    makeFolder(path.dirname(target));
    await write(temporary);
    const { size } = await stat(temporary);
    await rename(temporary, target);
    return size;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw translateWriteError(error, target);
  }
}
