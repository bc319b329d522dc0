import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';

/** One photo to colour. */
export interface PhotoInput {
  /** Absolute path. */
  readonly file: string;
  /** Path below the folder or glob it was found in: the structure that the output keeps. */
  readonly relative: string;
  /** Named on the command line itself, not found in a folder or by a glob. */
  readonly named: boolean;
}

/** Where photos are looked for. */
export interface FindOptions {
  readonly cwd: string;
  readonly recursive: boolean;
  /** Folder of the results: not searched where it lies below a searched one. */
  readonly outputDir?: string;
}

const photoExtensions = /\.(jpe?g|jpe|jfif|png|webp|avif|tiff?|gif)$/i;

/**
 * Files, folders and globs -> photos, each once, in a stable order. Folders and globs give files
 * with a picture's extension; a file that is named is taken whatever it is called. A named file
 * that does not exist is a photo too: it fails alone, and by name.
 */
export async function findInputs(
  args: readonly string[],
  options: FindOptions,
): Promise<PhotoInput[]> {
  const photos = new Map<string, PhotoInput>();
  for (const arg of args) {
    for (const photo of await find(arg, options)) {
      const identity = await realpath(photo.file).catch(() => photo.file);
      const known = photos.get(identity);
      // Found twice, once through a link: the name without the link counts.
      const better = !known?.named && photo.file === identity && known?.file !== identity;
      if (!known || better) photos.set(identity, photo);
    }
  }
  return [...photos.values()];
}

async function find(arg: string, options: FindOptions): Promise<PhotoInput[]> {
  const full = path.resolve(options.cwd, arg);
  const stats = await stat(full).catch(() => undefined);
  if (stats?.isDirectory()) return inFolder(full, options);
  // A file called "a[1].jpg" is that file before it is a pattern.
  if (!stats && isDynamicPattern(arg)) return byGlob(arg, options);
  return [{ file: full, relative: path.basename(full), named: true }];
}

async function inFolder(folder: string, options: FindOptions): Promise<PhotoInput[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: options.recursive });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => isPhoto(path.relative(folder, file)) && !inOutput(file, folder, options))
    .sort()
    .map((file) => ({ file, relative: path.relative(folder, file), named: false }));
}

async function byGlob(pattern: string, options: FindOptions): Promise<PhotoInput[]> {
  const files = await glob(pattern.split(path.sep).join('/'), {
    cwd: options.cwd,
    absolute: true,
    expandDirectories: false,
  });
  const base = path.resolve(options.cwd, fixedPart(pattern));
  return files
    .map((file) => path.normalize(file))
    .filter((file) => isPhoto(path.relative(base, file)) && !inOutput(file, base, options))
    .sort()
    .map((file) => ({ file, relative: path.relative(base, file), named: false }));
}

// The folders before the first part with a pattern: `scans` of "scans/*/a?.tif".
function fixedPart(pattern: string): string {
  const parts = pattern.split(/[\\/]/);
  const first = parts.findIndex((part) => isDynamicPattern(part));
  return parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** Hidden files and folders (journals, thumbnails, half-written files) are not photos. */
function isPhoto(relative: string): boolean {
  const hidden = relative.split(path.sep).some((part) => part.startsWith('.') && part !== '..');
  return photoExtensions.test(relative) && !hidden;
}

/** Results below the searched folder. Where that lies in the results' folder itself, all is photos. */
function inOutput(file: string, searched: string, { outputDir }: FindOptions): boolean {
  return outputDir !== undefined && isBelow(outputDir, searched) && isBelow(file, outputDir);
}

function isBelow(file: string, folder: string): boolean {
  const way = path.relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}
