import { opendir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../studio/ports/basics.js';
import { steadyNow } from '../studio/steady-now.js';
import { parseKey } from './blob-keys.js';

/** A file under way for this long was left by a crash, ms. */
const abandonedMs = 86_400_000;

/** A blob as the folder shows it. */
export interface ListedBlob {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Walk a blob folder; leftovers in `incoming` are removed on the way. */
export async function* listBlobFiles(
  folder: string,
  incoming: string,
  clock: Clock,
): AsyncGenerator<ListedBlob> {
  for await (const file of filesBelow(folder)) {
    const facts = await stat(file).catch(() => undefined);
    if (!facts) continue;
    if (path.dirname(file) === incoming) {
      if (steadyNow(clock) - facts.mtimeMs > abandonedMs) await rm(file, { force: true });
      continue;
    }
    const key = `${path.basename(path.dirname(path.dirname(file)))}/${path.basename(file)}`;
    if (parseKey(key)) yield { key, bytes: facts.size, modifiedMs: facts.mtimeMs };
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await opendir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!entries) return;
  for await (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else if (entry.isFile()) yield file;
  }
}
