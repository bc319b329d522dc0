import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const recordSchema = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  /** Of the installed ONNX file. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive(),
  /** Address it came from, or `import`. */
  source: z.string(),
  /** Of the file at its source, where that was converted. */
  sourceSha256: z.string().optional(),
  installedAt: z.string(),
});

/** What was installed; `<id>.json` beside `<id>.onnx`. */
export type ModelRecord = z.infer<typeof recordSchema>;

/** @throws when it is not one; see `findModel` for files of our own. */
export function parseRecord(text: string): ModelRecord {
  return recordSchema.parse(JSON.parse(text));
}

/** Names inside the models folder. */
export function modelPaths(dir: string, id: string) {
  const at = (suffix: string) => path.join(dir, `${id}${suffix}`);
  return {
    file: at('.onnx'),
    record: at('.json'),
    /** Hash of the source file as first seen; survives removal. */
    seen: at('.sha256'),
    lock: at('.lock'),
    /** Download in progress, in the source's own format. */
    part: at('.download.part'),
    /** Copy or conversion in progress. */
    partial: at('.onnx.part'),
  };
}

/** A model's record, and whether its file is as long as the record says. */
export interface FoundModel {
  readonly record: ModelRecord;
  /** What is there now. */
  readonly bytes: number;
  readonly whole: boolean;
}

/** @returns undefined unless file and record are there. */
export function findModel(dir: string, id: string): FoundModel | undefined {
  const { file, record: recordFile } = modelPaths(dir, id);
  try {
    const record = parseRecord(readFileSync(recordFile, 'utf8'));
    const { size: bytes } = statSync(file);
    return { record, bytes, whole: bytes === record.bytes };
  } catch {
    return undefined;
  }
}

/** Every id that has file and record, whole or not. */
export function recordedIds(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir).sort();
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => name.slice(0, -'.onnx'.length))
    .filter((id) => findModel(dir, id) !== undefined);
}

/** Hash of a source as it was at its first download. */
export function readSeenHash(dir: string, id: string): string | undefined {
  try {
    const text = readFileSync(modelPaths(dir, id).seen, 'utf8');
    return /^([0-9a-f]{64}) /.exec(text)?.[1];
  } catch {
    return undefined;
  }
}
