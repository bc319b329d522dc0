import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { translateWriteError } from './translate-error.js';

/**
 * Create a folder for results, with those above it. Step by step: Node's own recursive `mkdir`
 * never returns where a file system says that the parent it just found is not there, as /proc does.
 * @throws {DiskUnavailable}
 */
export function makeFolder(dir: string): void {
  try {
    create(path.resolve(dir));
  } catch (error) {
    throw translateWriteError(error, dir);
  }
}

function create(dir: string): void {
  if (isFolder(dir)) return;
  const parent = path.dirname(dir);
  if (parent !== dir) create(parent);
  try {
    mkdirSync(dir);
  } catch (error) {
    // Somebody else may have been quicker.
    if (!isFolder(dir)) throw error;
  }
}

function isFolder(dir: string): boolean {
  return statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
}
