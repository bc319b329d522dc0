import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../../inference/codec/make-folder.js';
import { systemCodeOf } from '../../studio/errors/base.js';

/** Beside the results: what a killed run had finished. */
export const journalName = '.huancai-journal.jsonl';

interface Line {
  readonly event: 'start' | 'done';
  /** Hash of the photo's content, the options and the model. */
  readonly key: string;
  /** Paths below the journal's folder. */
  readonly files: readonly string[];
  /** Sizes of the finished files, bytes; `done` only. */
  readonly bytes?: readonly number[];
  /** ISO 8601. */
  readonly at: string;
}

/** What is done, beside the results, so that a batch can be resumed. */
export interface Journal {
  /** Finished before with the same content, options and model, and the files are still whole. */
  isDone(key: string, files: readonly string[]): boolean;
  /** The file is one that an interrupted run of ours began: it may be replaced. */
  isOurs(key: string, file: string): boolean;
  start(key: string, files: readonly string[]): void;
  done(key: string, files: readonly string[]): void;
  close(): void;
}

/**
 * Open the journal of a folder. Lines are appended with one write each and flushed to the disk, so
 * a crash loses at most the line being written; a torn line is ignored when read.
 * @param now ISO 8601 time of a new line.
 */
export function openJournal(dir: string, now: () => string): Journal {
  const file = path.join(dir, journalName);
  const { done, started, torn } = read(file);
  let descriptor: number | undefined;
  const names = (files: readonly string[]) => files.map((one) => path.relative(dir, one));

  function append(line: Line): void {
    if (descriptor === undefined) {
      makeFolder(dir);
      descriptor = openSync(file, 'a');
      flush(file);
      if (torn) writeSync(descriptor, '\n');
    }
    writeSync(descriptor, `${JSON.stringify(line)}\n`);
    fdatasyncSync(descriptor);
  }

  return {
    isDone: (key, files) => {
      const line = done.get(identity(key, names(files)));
      return line !== undefined && files.every((one, i) => sizeOf(one) === line.bytes?.[i]);
    },
    isOurs: (key, one) => started.has(identity(key, names([one]))),
    start: (key, files) => append({ event: 'start', key, files: names(files), at: now() }),
    done: (key, files) => {
      // A line that survives a power cut must not speak of pictures that did not.
      for (const one of files) flush(one);
      append({ event: 'done', key, files: names(files), bytes: files.map(sizeOf), at: now() });
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** Onto the disk, with its name. */
function flush(file: string): void {
  for (const one of [file, path.dirname(file)]) {
    try {
      const descriptor = openSync(one, 'r');
      fsyncSync(descriptor);
      closeSync(descriptor);
    } catch (error) {
      // Folders cannot be flushed everywhere (Windows, some network drives).
      const missing = systemCodeOf(error) === 'ENOENT';
      if (one === file && !missing) throw error;
    }
  }
}

function read(file: string) {
  const done = new Map<string, Line>();
  const started = new Set<string>();
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
  for (const row of text.split('\n')) {
    const line = parse(row);
    if (line?.event === 'done') done.set(identity(line.key, line.files), line);
    for (const one of line?.files ?? []) started.add(identity(line!.key, [one]));
  }
  return { done, started, torn: text !== '' && !text.endsWith('\n') };
}

function parse(row: string): Line | undefined {
  try {
    const line = JSON.parse(row) as Line;
    return typeof line.key === 'string' && Array.isArray(line.files) ? line : undefined;
  } catch {
    // A torn line: the photo it spoke of is simply done again.
    return undefined;
  }
}

function identity(key: string, names: readonly string[]): string {
  return [key, ...names].join('\n');
}

/** Size, bytes; -1 where there is no such file. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1;
}
