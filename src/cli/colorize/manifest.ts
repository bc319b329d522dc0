import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../../inference/codec/make-folder.js';
import { csvTable } from '../csv.js';
import { OutputExists } from '../errors.js';
import type { PhotoOutcome } from './batch.js';
import { filesOf } from './outputs.js';

/** One photo of an archive, as the manifest tells it. `null`: not known, or not measured. */
export interface ManifestEntry {
  /** Paths below the manifest's folder where they lie below it. */
  readonly photo: string;
  readonly sha256: string;
  readonly results: readonly string[];
  readonly resultSha256: readonly string[];
  readonly status: 'done' | 'doneBefore';
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
  /** ISO 8601. */
  readonly at: string;
}

export interface Manifest {
  /** Write down a finished photo, on the disk when it resolves. */
  add(outcome: PhotoOutcome): Promise<void>;
  /** The table beside the lines. */
  close(): void;
}

/** `archive`, `archive.csv` and `archive.jsonl` name the same two files. */
export function manifestFiles(name: string): { readonly lines: string; readonly table: string } {
  const base = name.replace(/\.(jsonl|csv)$/i, '');
  return { lines: `${base}.jsonl`, table: `${base}.csv` };
}

/**
 * What was done with every photo, as JSON lines that are flushed one by one, and at the end as a CSV
 * table. Resuming goes on with the lines that are there; a torn last line is left out.
 * @throws {OutputExists} unless resuming or overwriting.
 */
export function openManifest(
  name: string,
  options: { resume: boolean; overwrite: boolean; now: () => number },
): Manifest {
  const { lines, table } = manifestFiles(name);
  const { resume, overwrite } = options;
  if (existsSync(lines) && !resume && !overwrite) throw new OutputExists(lines);
  const folder = path.dirname(lines);
  makeFolder(folder);
  const entries = new Map<string, ManifestEntry>();
  if (resume) for (const one of readEntries(lines)) entries.set(one.photo, one);
  // Whole lines only: what a power cut tore is written anew.
  const kept = [...entries.values()].map((one) => `${JSON.stringify(one)}\n`).join('');
  writeFileSync(lines, kept);
  const descriptor = openSync(lines, 'a');
  const short = (file: string) => {
    const below = path.relative(folder, file);
    return (below.startsWith('..') ? file : below).split(path.sep).join('/');
  };

  return {
    async add(outcome) {
      const { task, status, seconds, prediction } = outcome;
      const photo = short(task.file);
      const results = filesOf(task).filter((file) => existsSync(file));
      if (status === 'skipped' && (entries.has(photo) || results.length === 0)) return;
      if (status !== 'done' && status !== 'skipped') return;
      const done = status === 'done';
      const entry: ManifestEntry = {
        photo,
        sha256: await hashOf(task.file),
        results: results.map(short),
        resultSha256: await Promise.all(results.map(hashOf)),
        status: done ? 'done' : 'doneBefore',
        model: prediction?.model ?? null,
        provider: prediction?.provider ?? null,
        card: prediction?.card ?? null,
        cardId: prediction?.cardId ?? null,
        worker: prediction?.worker ?? null,
        inputWidthPx: prediction?.inputWidthPx ?? null,
        inputHeightPx: prediction?.inputHeightPx ?? null,
        seconds: done ? seconds : null,
        inferenceSeconds: prediction?.inferenceSeconds ?? null,
        joules: prediction?.joules ?? null,
        at: new Date(options.now()).toISOString(),
      };
      entries.set(photo, entry);
      writeSync(descriptor, `${JSON.stringify(entry)}\n`);
      fdatasyncSync(descriptor);
    },
    close() {
      closeSync(descriptor);
      writeFileSync(table, tableOf([...entries.values()]));
    },
  };
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
  ...(['inferenceSeconds', 'joules', 'at'] as const),
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
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
