import { stat } from 'node:fs/promises';
import { translateReadError } from './translate-error.js';

const KEPT = 4;

/**
 * The last few small copies of photos. A photo's copy is wanted again at once, as the network's
 * input and as the guide of each of its renders, and making one decodes the whole file.
 */
export interface SmallCopies<T> {
  /** @param shape whatever else decides how the copy looks. @throws what `make` throws, and PhotoUnreadable */
  of(file: string, shape: string, make: () => Promise<T>): Promise<T>;
}

/** Keeps the last few. */
export function createSmallCopies<T>(): SmallCopies<T> {
  const kept = new Map<string, Promise<T>>();
  return {
    async of(file, shape, make) {
      const key = `${await identityOf(file)}\n${shape}`;
      const copy = kept.get(key) ?? make();
      // Again at the end of the line; the first in it goes.
      kept.delete(key);
      kept.set(key, copy);
      if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
      copy.catch(() => kept.delete(key));
      return copy;
    },
  };
}

/** Another content is another identity, unless it was written within one tick of the disk's clock. */
async function identityOf(file: string): Promise<string> {
  const facts = await stat(file, { bigint: true }).catch((error: unknown) => {
    throw translateReadError(error);
  });
  const { dev, ino, size, mtimeNs, ctimeNs } = facts;
  return [file, dev, ino, size, mtimeNs, ctimeNs].join('\n');
}
