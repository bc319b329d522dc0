import path from 'node:path';

/**
 * Path of a compiled entry file for a child process or worker thread. Those start from a file on
 * disk, so a source run (jest) uses the compiled twin in dist/, which `npm test` builds first.
 * @param dir `__dirname` of the caller.
 * @param file name beside the caller, with `.js`.
 */
export function compiledEntry(dir: string, file: string): string {
  const marker = `${path.sep}src${path.sep}`;
  const at = dir.lastIndexOf(marker);
  const base = at < 0 ? dir : path.join(dir.slice(0, at), 'dist', dir.slice(at + marker.length));
  return path.join(base, file);
}
