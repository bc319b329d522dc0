import { type Dirent, promises as fs, readdir, realpath, stat } from 'node:fs';
import path from 'node:path';
import { glob } from 'tinyglobby';
import { nameFromBytes, pathForSystem } from './byte-names.js';

/** A folder that could not be searched. */
export interface LockedFolder {
  readonly folder: string;
  readonly error: NodeJS.ErrnoException;
}

/** What lies in a folder or fits a pattern. Paths are absolute; odd names as in byte-names.ts. */
export interface Walked {
  /** Whatever is no folder: files, and what only looks like one (pipes, links to nothing). */
  readonly files: string[];
  readonly locked: LockedFolder[];
  /** Folders right below that nobody asked to search. */
  readonly notSearched: string[];
}

/** Hidden files and folders (journals, thumbnails, half-written files) are nobody's photos. */
const isHidden = (name: string) => name.startsWith('.');

/**
 * @param leaveOut folders that are not photos' (results).
 * @throws nothing: what cannot be searched is named.
 */
export async function walkFolder(
  folder: string,
  recursive: boolean,
  leaveOut: (folder: string) => boolean,
): Promise<Walked> {
  const walked: Walked = { files: [], locked: [], notSearched: [] };
  const waiting = [folder];
  for (let dir = waiting.shift(); dir !== undefined; dir = waiting.shift()) {
    const entries = await readFolder(dir).catch((error: NodeJS.ErrnoException) => {
      walked.locked.push({ folder: dir!, error });
      return [];
    });
    for (const { name, isFolder } of entries) {
      const full = path.join(dir, name);
      if (isHidden(name) || (isFolder && leaveOut(full))) continue;
      if (!isFolder) walked.files.push(full);
      else (recursive ? waiting : walked.notSearched).push(full);
    }
  }
  return walked;
}

/** Links are not followed: they may lead in a circle. */
async function readFolder(dir: string): Promise<{ name: string; isFolder: boolean }[]> {
  const entries = await fs.readdir(pathForSystem(dir), { withFileTypes: true, encoding: 'buffer' });
  return entries.map((entry) => ({
    name: nameFromBytes(entry.name as unknown as Buffer),
    isFolder: entry.isDirectory(),
  }));
}

/** @param pattern with `/`; relative to `cwd`. */
export async function walkPattern(pattern: string, cwd: string): Promise<Walked> {
  const locked: LockedFolder[] = [];
  const files = await glob(pattern, {
    cwd,
    absolute: true,
    expandDirectories: false,
    fs: systemOfBytes(locked) as never,
  });
  return { files: files.map((file) => path.normalize(file)), locked, notSearched: [] };
}

type Done = (error: NodeJS.ErrnoException | null, answer?: unknown) => void;

/** The file system as the pattern matcher asks it, with odd names, and told what was locked. */
function systemOfBytes(locked: LockedFolder[]) {
  const known = new Set<string>();
  return {
    readdir(dir: string, _options: unknown, done: Done) {
      readdir(pathForSystem(dir), { withFileTypes: true, encoding: 'buffer' }, (error, entries) => {
        const folder = path.normalize(`${dir}/.`);
        // A pattern may name folders that are not there.
        const told = error && error.code !== 'ENOENT' && error.code !== 'ENOTDIR';
        if (told && !known.has(folder)) locked.push({ folder, error });
        known.add(folder);
        if (error) return done(error);
        Promise.all(entries.map((entry) => asMatched(dir, entry))).then(
          (all) => done(null, all),
          done,
        );
      });
    },
    realpath(file: string, done: Done) {
      realpath(pathForSystem(file), { encoding: 'buffer' }, (error, bytes) =>
        error ? done(error) : done(null, nameFromBytes(bytes)),
      );
    },
    stat: (file: string, done: Done) => stat(pathForSystem(file), done),
  };
}

/** A link to a folder is followed; whatever else is no folder counts as a file and is looked at later. */
async function asMatched(dir: string, entry: Dirent<Buffer>) {
  const name = nameFromBytes(entry.name);
  const isLink = entry.isSymbolicLink();
  const target = isLink
    ? await fs.stat(pathForSystem(path.join(dir, name))).catch(() => undefined)
    : undefined;
  const toFolder = target?.isDirectory() === true;
  return {
    name,
    isSymbolicLink: () => isLink && toFolder,
    isDirectory: () => entry.isDirectory(),
    isFile: () => !entry.isDirectory() && !toFolder,
  };
}
