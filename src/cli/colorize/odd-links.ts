import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isOdd, pathForSystem } from './byte-names.js';

/** Names that every library can open, for files and folders whose own are not UTF-8. */
export interface OddLinks {
  /** A path through links, the same for the same file; what is not odd stays as it is. */
  open(file: string): string;
  remove(): void;
}

/** @param parent folder for the links; null: the system's. It is made when the first is wanted. */
export function createOddLinks(parent: string | null): OddLinks {
  const links = new Map<string, string>();
  let folder: string | undefined;
  return {
    open(file) {
      if (!isOdd(file)) return file;
      const known = links.get(file);
      if (known !== undefined) return known;
      folder ??= mkdtempSync(path.join(parent ?? os.tmpdir(), 'huancai-names-'));
      // The ending stays: names decide what a result is called.
      const link = path.join(folder, `${links.size + 1}${safeExtension(file)}`);
      symlinkSync(pathForSystem(file), link);
      links.set(file, link);
      return link;
    },
    remove() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
      links.clear();
    },
  };
}

const safeExtension = (file: string) => /\.[a-z0-9]{1,8}$/i.exec(file)?.[0] ?? '';
