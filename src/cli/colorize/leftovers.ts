import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stemOf } from '../../inference/codec/atomic-file.js';

/**
 * Remove what a killed process left of results it was writing: `.name.<random>.part` beside them.
 * Synchronous, for it is also the last thing an interrupted process does.
 */
export function removeLeftovers(files: Iterable<string>): void {
  const names = new Map<string, Set<string>>();
  for (const file of files) {
    const dir = path.dirname(file);
    names.set(dir, (names.get(dir) ?? new Set()).add(stemOf(path.basename(file))));
  }
  for (const [dir, targets] of names) {
    for (const name of list(dir)) {
      const target = /^\.(.+)\.[0-9a-f]{12}\.part$/.exec(name)?.[1];
      if (target && targets.has(target)) rmSync(path.join(dir, name), { force: true });
    }
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Never made, so nothing was left in it.
    return [];
  }
}
