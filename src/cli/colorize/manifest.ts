import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { openFile } from '../../inference/codec/identify-file.js';
import { makeFolder } from '../../inference/codec/make-folder.js';
import { csvTable } from '../csv.js';
import { OutputExists } from '../errors.js';
import type { PhotoOutcome } from './batch.js';
import { filesOf, toldPhoto, toldResult } from './outputs.js';

/** One photo of an archive, as the manifest tells it. `null`: not known, or not measured. */
export interface ManifestEntry {
  /** Paths below the manifest's folder where they lie below it. */
  readonly photo: string;
  /** null: the photo cannot be read. */
  readonly sha256: string | null;
  readonly results: readonly string[];
  readonly resultSha256: readonly string[];
  readonly status: 'done' | 'doneBefore' | 'failed';
  readonly model: string | null;
  readonly provider: string | null;
  readonly card: string | null;
  /** Its number: two cards of a kind have the same name. */
  readonly cardId: string | null;
  /** Process of the box that coloured it, with --fleet. */
  readonly worker: string | null;
  readonly inputWidthPx: number | null;
  readonly inputHeightPx: number | null;
  /** From file to file. */
  readonly seconds: number | null;
  /** The network alone. */
  readonly inferenceSeconds: number | null;
  readonly joules: number | null;
  /** Why it failed: a stable code, and a sentence in the language of the run. */
  readonly error: string | null;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** What became of each photo, for people and programs. */
export interface Manifest {
  /** Write down what became of a photo, on the disk when it resolves. */
  add(outcome: PhotoOutcome): Promise<void>;
  /** The table beside the lines. */
  close(): void;
}

/** `archive`, `archive.csv` and `archive.jsonl` name the same two files. */
export function manifestFiles(name: string): { readonly lines: string; readonly table: string } {
  const base = name.replace(/\.(jsonl|csv)$/i, '');
  return { lines: `${base}.jsonl`, table: `${base}.csv` };
}

/** Whether an older one is continued, and how errors are told. */
export interface ManifestOptions {
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly now: () => number;
  /** Code and sentence of an error. */
  readonly explain: (error: unknown) => { readonly code: string; readonly message: string };
}

/**
 * What was done with every photo, as JSON lines that are flushed one by one, and at the end as a CSV
 * table. Resuming goes on with the lines that are there; a torn last line is left out. A photo that
 * failed and is done later has one line in the end.
 * @throws {OutputExists} unless resuming or overwriting.
 */
export function openManifest(name: string, options: ManifestOptions): Manifest {
  const { lines, table } = manifestFiles(name);
  const { resume, overwrite } = options;
  if (existsSync(lines) && !resume && !overwrite) throw new OutputExists(lines);
  const folder = path.dirname(lines);
  makeFolder(folder);
  const entries = new Map<string, ManifestEntry>();
  if (resume) for (const one of readEntries(lines)) entries.set(one.photo, one);
  // Whole lines only: what a power cut tore is written anew.
  writeLines(lines, entries.values());
  const descriptor = openSync(lines, 'a');
  let superseded = false;
  const short = (file: string) => {
    const below = path.relative(folder, file);
    return (below.startsWith('..') ? file : below).split(path.sep).join('/');
  };

  return {
    async add(outcome) {
      if (outcome.status === 'cancelled') return;
      const photo = short(toldPhoto(outcome.task));
      const known = entries.get(photo);
      // A failure or a photo left out takes nothing away from what is told of its results.
      if (outcome.status !== 'done' && known && known.status !== 'failed') return;
      const entry = await entryOf(outcome, short, options);
      if (entry.status === 'doneBefore' && entry.results.length === 0) return;
      superseded ||= known !== undefined;
      entries.set(photo, entry);
      writeSync(descriptor, `${JSON.stringify(entry)}\n`);
      fdatasyncSync(descriptor);
    },
    close() {
      closeSync(descriptor);
      if (superseded) writeLines(lines, entries.values());
      writeFileSync(table, tableOf([...entries.values()]));
    },
  };
}

async function entryOf(
  { task, status, seconds, prediction, error }: PhotoOutcome,
  short: (file: string) => string,
  { now, explain }: ManifestOptions,
): Promise<ManifestEntry> {
  const failed = status === 'failed';
  // What lies there when a photo fails is not its result.
  const results = failed ? [] : filesOf(task).filter((file) => existsSync(file));
  const told = failed ? explain(error) : undefined;
  return {
    photo: short(toldPhoto(task)),
    sha256: await hashOf(task.file).catch(() => null),
    results: results.map((file) => short(toldResult(task, file))),
    resultSha256: await Promise.all(results.map(hashOf)),
    status: status === 'skipped' ? 'doneBefore' : failed ? 'failed' : 'done',
    model: prediction?.model ?? null,
    provider: prediction?.provider ?? null,
    card: prediction?.card ?? null,
    cardId: prediction?.cardId ?? null,
    worker: prediction?.worker ?? null,
    inputWidthPx: prediction?.inputWidthPx ?? null,
    inputHeightPx: prediction?.inputHeightPx ?? null,
    seconds: status === 'done' ? seconds : null,
    inferenceSeconds: prediction?.inferenceSeconds ?? null,
    joules: prediction?.joules ?? null,
    error: told?.code ?? null,
    reason: told?.message ?? null,
    at: new Date(now()).toISOString(),
  };
}

/** The old lines or the new ones, whatever happens meanwhile. */
function writeLines(file: string, entries: Iterable<ManifestEntry>): void {
  const part = `${file}.part`;
  const descriptor = openSync(part, 'w');
  try {
    for (const one of entries) writeSync(descriptor, `${JSON.stringify(one)}\n`);
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, file);
}

function readEntries(file: string): ManifestEntry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((row) => {
      try {
        const entry = JSON.parse(row) as ManifestEntry;
        return typeof entry.photo === 'string' && Array.isArray(entry.results) ? [entry] : [];
      } catch {
        return [];
      }
    });
}

const columns = [
  ...(['photo', 'sha256', 'results', 'resultSha256', 'status', 'model', 'provider'] as const),
  ...(['card', 'cardId', 'worker', 'inputWidthPx', 'inputHeightPx', 'seconds'] as const),
  ...(['inferenceSeconds', 'joules', 'error', 'reason', 'at'] as const),
];

function tableOf(entries: readonly ManifestEntry[]): string {
  const rows = entries.map((entry) =>
    columns.map((name) => {
      const value = entry[name];
      return Array.isArray(value) ? value.join('; ') : String(value ?? '');
    }),
  );
  return csvTable([columns, ...rows]);
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  const { handle } = await openFile(file);
  for await (const chunk of handle.createReadStream({ highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
