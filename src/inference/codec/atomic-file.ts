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
  const name = `.${stemOf(path.basename(target))}.${randomBytes(6).toString('hex')}.part`;
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

/** File systems take names of 255 bytes; what is added to this one must fit as well. */
const STEM_BYTES = 200;

/** How a target's temporary name begins: the target's name, cut where that is long. */
export function stemOf(name: string): string {
  const letters = [...name];
  while (Buffer.byteLength(letters.join('')) > STEM_BYTES) letters.pop();
  return letters.join('');
}
