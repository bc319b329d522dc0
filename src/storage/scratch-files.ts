import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DiskUnavailable, systemCodeOf } from '../studio/errors/index.js';
import type { Files } from '../studio/ports/files.js';
import { removeLocation } from './without-location.js';

/**
 * Scratch folders below one folder of this process.
 * @param config.folder e.g. `<data>/tmp/<process>`; made when needed.
 */
export function createScratchFiles(config: { readonly folder: string }): Files {
  return {
    scratch: async (work) => {
      const dir = await makeFolder(config.folder);
      try {
        return await work(dir);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
    read: async (file) => {
      try {
        return await readFile(file);
      } catch (error) {
        throw translate(file, error);
      }
    },
    removeLocation: async (file) => {
      try {
        const bytes = await readFile(file);
        if (removeLocation(bytes)) await writeFile(file, bytes);
      } catch (error) {
        throw translate(file, error);
      }
    },
  };
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await mkdtemp(path.join(folder, 'work-'));
  } catch (error) {
    throw translate(folder, error);
  }
}

function translate(file: string, error: unknown): DiskUnavailable {
  const code = systemCodeOf(error) ?? String(error);
  return new DiskUnavailable(file, code, error);
}
