import { createHash } from 'node:crypto';
import path from 'node:path';

/** How much of a photo's path the name of its result takes. */
export interface Naming {
  /** `a.png.jpg`: the photo's whole name. */
  readonly extension: boolean;
  /** Folders from the one that all photos have in common, not only those below what was named. */
  readonly folders: boolean;
  /** The last resort: a hash of the photo's path. */
  readonly hash: boolean;
}

/** Names as short as they can be; more is added where two would be the same. */
export const shortNaming: Naming = { extension: false, folders: false, hash: false };

/**
 * Tasks that would write a file of another one, with those others, by number.
 * @param files of every task, absolute.
 */
export function findClashes(files: readonly (readonly string[])[]): Map<number, Set<number>> {
  const writers = new Map<string, number[]>();
  for (const [task, names] of files.entries()) {
    for (const name of names) {
      const identity = name.toLowerCase();
      const known = writers.get(identity);
      if (known) known.push(task);
      else writers.set(identity, [task]);
    }
  }
  const clashes = new Map<number, Set<number>>();
  for (const group of writers.values()) {
    if (group.length < 2) continue;
    for (const task of group) {
      const others = clashes.get(task) ?? new Set();
      for (const other of group) if (other !== task) others.add(other);
      clashes.set(task, others);
    }
  }
  return clashes;
}

/**
 * The next longer name of a photo that clashes: what tells it from the others, else the hash.
 * @param name its path below what was named, like those of the others.
 */
export function longer(
  naming: Naming,
  name: string,
  others: readonly string[],
  foldersHelp: boolean,
): Naming {
  const twins = others.filter((other) => other.toLowerCase() === name.toLowerCase()).length;
  const next = {
    extension: naming.extension || twins < others.length,
    folders: naming.folders || (twins > 0 && foldersHelp),
  };
  const same = next.extension === naming.extension && next.folders === naming.folders;
  return { ...next, hash: same };
}

/** The deepest folder that all of these lie in. */
export function commonFolder(folders: readonly string[]): string {
  const [first = '', ...rest] = folders;
  let common = first;
  for (const folder of rest) {
    while (common !== folder && !folder.startsWith(withSeparator(common))) {
      const parent = path.dirname(common);
      if (parent === common) return common;
      common = parent;
    }
  }
  return common;
}

const withSeparator = (folder: string) => (folder.endsWith(path.sep) ? folder : folder + path.sep);

/** Tells two paths apart: eight hex digits. */
export const hashOf = (file: string): string =>
  createHash('sha256').update(file).digest('hex').slice(0, 8);
