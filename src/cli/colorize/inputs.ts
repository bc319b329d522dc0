import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDynamicPattern } from 'tinyglobby';
import { nameFromBytes, pathForSystem, readablePath } from './byte-names.js';
import { type LeftAlone, lookAtFile } from './look-at-file.js';
import type { OddLinks } from './odd-links.js';
import { type LockedFolder, type Walked, walkFolder, walkPattern } from './walk.js';

/** One photo to colour. */
export interface PhotoInput {
  /** Absolute path that every library can open. */
  readonly file: string;
  /** Path below the folder or glob it was found in: the structure that the output keeps. */
  readonly relative: string;
  /** Named on the command line itself, not found in a folder or by a glob. */
  readonly named: boolean;
  /** Where names are not UTF-8: what people are told instead of the paths that open them. */
  readonly odd?: {
    readonly file: string;
    /** The photo's folder, to open and to tell. */
    readonly folder: string;
    readonly toldFolder: string;
  };
}

/** Everything that the arguments lead to. */
export interface FoundInputs {
  readonly photos: readonly PhotoInput[];
  readonly leftAlone: readonly LeftAlone[];
  /** Folders that could not be opened. */
  readonly locked: readonly LockedFolder[];
  /** Folders below the named ones, left out without `recursive`. */
  readonly notSearched: readonly string[];
}

/** Where photos are looked for. */
export interface FindOptions {
  readonly cwd: string;
  readonly recursive: boolean;
  /** Folder of the results: not searched where it lies below a searched one. */
  readonly outputDir?: string;
  readonly links: OddLinks;
}

/** Files that are looked at side by side. */
const AT_ONCE = 16;

/**
 * Files, folders and globs -> photos, each once, in a stable order. In folders and globs the first
 * bytes decide what is a photo; a file that is named is taken whatever it is. A named file that does
 * not exist is a photo too: it fails alone, and by name.
 */
export async function findInputs(
  args: readonly string[],
  options: FindOptions,
): Promise<FoundInputs> {
  const photos = new Map<string, PhotoInput>();
  const leftAlone = new Map<string, LeftAlone>();
  const locked = new Map<string, LockedFolder>();
  const notSearched = new Set<string>();
  for (const arg of args) {
    const found = await find(arg, options);
    for (const photo of found.photos) {
      const file = found.pathOf.get(photo)!;
      const identity = await identityOf(file);
      const known = photos.get(identity);
      // Found twice, once through a link: the name without the link counts.
      const better = !known?.named && file === identity && known?.file !== identity;
      if (!known || better) photos.set(identity, photo);
    }
    for (const one of found.leftAlone) leftAlone.set(one.file, one);
    for (const one of found.locked) locked.set(one.folder, tellable(one));
    for (const one of found.notSearched) notSearched.add(readablePath(one));
  }
  return {
    photos: [...photos.values()],
    leftAlone: [...leftAlone.values()],
    locked: [...locked.values()],
    // Named besides, or found by another argument that goes deeper.
    notSearched: [...notSearched].filter((folder) => !isSearched(folder, args, options)),
  };
}

const tellable = ({ folder, error }: LockedFolder) => ({ folder: readablePath(folder), error });

const isSearched = (folder: string, args: readonly string[], { cwd }: FindOptions) =>
  args.some((arg) => readablePath(path.resolve(cwd, arg)) === folder);

/** Real path; itself where there is no such file. */
async function identityOf(file: string): Promise<string> {
  return realpath(pathForSystem(file), { encoding: 'buffer' }).then(nameFromBytes, () => file);
}

interface Found extends Walked {
  readonly photos: readonly PhotoInput[];
  readonly leftAlone: readonly LeftAlone[];
  /** A photo's path as the file system has it. */
  readonly pathOf: ReadonlyMap<PhotoInput, string>;
}

async function find(arg: string, options: FindOptions): Promise<Found> {
  const full = path.resolve(options.cwd, arg);
  const stats = await stat(pathForSystem(full)).catch(() => undefined);
  if (stats?.isDirectory()) {
    const leaveOut = (folder: string) => inOutput(path.join(folder, 'x'), full, options);
    return sorted(await walkFolder(full, options.recursive, leaveOut), full, options);
  }
  // A file called "a[1].jpg" is that file before it is a pattern.
  if (!stats && isDynamicPattern(arg)) {
    const base = path.resolve(options.cwd, fixedPart(arg));
    const pattern = arg.split(path.sep).join('/');
    return sorted(await walkPattern(pattern, options.cwd), base, options);
  }
  const photo = photoAt(full, path.basename(full), true, options.links);
  const none = { files: [], locked: [], notSearched: [], leftAlone: [] };
  return { ...none, photos: [photo], pathOf: new Map([[photo, full]]) };
}

/** What was found, by what it is. */
async function sorted(walked: Walked, base: string, options: FindOptions): Promise<Found> {
  const files = walked.files
    .filter((file) => !isHidden(path.relative(base, file)) && !inOutput(file, base, options))
    .sort();
  const kinds = await lookAtAll(files, options.links);
  const photos: PhotoInput[] = [];
  const leftAlone: LeftAlone[] = [];
  const pathOf = new Map<PhotoInput, string>();
  for (const [i, file] of files.entries()) {
    const kind = kinds[i];
    if (kind !== undefined) {
      leftAlone.push({ file: readablePath(file), kind });
      continue;
    }
    const photo = photoAt(file, path.relative(base, file), false, options.links);
    photos.push(photo);
    pathOf.set(photo, file);
  }
  return { ...walked, photos, leftAlone, pathOf };
}

async function lookAtAll(files: readonly string[], links: OddLinks) {
  const kinds: (string | undefined)[] = [];
  const queue = files.entries();
  const worker = async () => {
    for (const [i, file] of queue) kinds[i] = await lookAtFile(links.open(file), file);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return kinds;
}

function photoAt(file: string, relative: string, named: boolean, links: OddLinks): PhotoInput {
  const opened = links.open(file);
  if (opened === file) return { file, relative, named };
  const folder = path.dirname(file);
  const odd = {
    file: readablePath(file),
    folder: links.open(folder),
    toldFolder: readablePath(folder),
  };
  return { file: opened, relative: readablePath(relative), named, odd };
}

// The folders before the first part with a pattern: `scans` of "scans/*/a?.tif".
function fixedPart(pattern: string): string {
  const parts = pattern.split(/[\\/]/);
  const first = parts.findIndex((part) => isDynamicPattern(part));
  return parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

const isHidden = (relative: string) =>
  relative.split(path.sep).some((part) => part.startsWith('.') && part !== '..');

/** Results below the searched folder. Where that lies in the results' folder itself, all is photos. */
function inOutput(file: string, searched: string, { outputDir }: FindOptions): boolean {
  return outputDir !== undefined && isBelow(outputDir, searched) && isBelow(file, outputDir);
}

function isBelow(file: string, folder: string): boolean {
  const way = path.relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}
