import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ModelMissing, ModelUnfit, systemCodeOf } from '../../studio/errors/index.js';

/** What a file is, told from its first bytes and, for ONNX, its outermost structure. */
export type ModelFileKind =
  | 'onnx'
  | 'truncated'
  | 'empty'
  | 'html'
  | 'lfsPointer'
  | 'checkpoint'
  | 'safetensors'
  | 'unknown';

/** Kinds that convert to ONNX. */
export const CONVERTIBLE: ReadonlySet<ModelFileKind> = new Set(['checkpoint', 'safetensors']);

const HEAD_BYTES = 1_024;
const FOUND: Record<Exclude<ModelFileKind, 'onnx'>, string> = {
  truncated: 'an ONNX file that ends early (half a download)',
  empty: 'an empty file',
  html: 'a web page (the download link needs a click or a login)',
  lfsPointer: 'a Git LFS pointer (the weights themselves were not fetched)',
  checkpoint: 'a PyTorch checkpoint (.pth)',
  safetensors: 'a safetensors checkpoint',
  unknown: 'a file of another kind',
};

/**
 * Refuse what is not an ONNX file before onnxruntime sees it. Reads a few kilobytes at most.
 * @param suggestion catalog id that would fit.
 * @throws {ModelMissing | ModelUnfit}
 */
export function checkModelFile(file: string, modelId: string, suggestion = 'ddcolor-tiny'): void {
  const kind = sniffModelFile(file, modelId);
  if (kind === 'onnx') return;
  const advice = CONVERTIBLE.has(kind)
    ? `convert it with: huancai models convert ${file} -o ${modelId}.onnx`
    : `get one that fits with: huancai models pull ${suggestion}`;
  throw new ModelUnfit(
    modelId,
    'an ONNX file of a DDColor-style network',
    `${FOUND[kind]}; ${advice}`,
    undefined,
    `model.unfitFile.${kind}`,
    { file, suggestion },
  );
}

/** @throws {ModelMissing} when it cannot be read. */
export function sniffModelFile(file: string, modelId = file): ModelFileKind {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    const code = systemCodeOf(error);
    throw new ModelMissing(modelId, `${file} cannot be read (${code})`, 'model.missingFile', {
      file,
    });
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile())
      throw new ModelMissing(modelId, `${file} is not a file`, 'model.missingFile', { file });
    return kindOf(handle, stat.size);
  } finally {
    closeSync(handle);
  }
}

function kindOf(handle: number, size: number): ModelFileKind {
  if (size === 0) return 'empty';
  const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
  readSync(handle, head, 0, head.length, 0);
  const text = head.toString('latin1').trimStart().toLowerCase();
  if (/^(<!doctype|<html|<\?xml|<head|<body)/.test(text)) return 'html';
  if (text.startsWith('version https://git-lfs')) return 'lfsPointer';
  // Zip archives (torch.save since 1.6) and bare pickles of protocol 2 before that.
  if (['504b', '8002'].includes(head.toString('hex', 0, 2))) return 'checkpoint';
  if (size > 9 && head[8] === 0x7b && head.readBigUInt64LE(0) < BigInt(size)) return 'safetensors';
  return onnxKind(handle, size);
}

/** Fields of ModelProto and their wire types. @see https://github.com/onnx/onnx onnx.proto3 */
const MODEL_FIELDS: Readonly<Record<number, number>> = {
  1: 0, // ir_version
  2: 2, // producer_name
  3: 2, // producer_version
  4: 2, // domain
  5: 0, // model_version
  6: 2, // doc_string
  7: 2, // graph
  8: 2, // opset_import
  14: 2, // metadata_props
  20: 2, // training_info
  25: 2, // functions
};
const GRAPH_FIELD = 7;

/** Walk the outermost fields, stepping over their contents. */
function onnxKind(handle: number, size: number): ModelFileKind {
  let at = 0;
  let graph = false;
  let fields = 0;
  while (at < size) {
    const tag = readVarint(handle, at);
    const value = tag && readVarint(handle, tag.next);
    if (!tag || !value) return graph || fields > 1 ? 'truncated' : 'unknown';
    const field = tag.value >>> 3;
    if (MODEL_FIELDS[field] !== (tag.value & 7)) return graph ? 'truncated' : 'unknown';
    graph ||= field === GRAPH_FIELD;
    fields += 1;
    at = value.next + ((tag.value & 7) === 2 ? value.value : 0);
  }
  if (at > size) return graph ? 'truncated' : 'unknown';
  return graph ? 'onnx' : 'unknown';
}

/** Up to 2^53; undefined where the file ends or ten bytes are not enough. */
function readVarint(handle: number, at: number): { value: number; next: number } | undefined {
  const bytes = Buffer.alloc(10);
  const count = readSync(handle, bytes, 0, 10, at);
  let value = 0;
  for (let i = 0; i < count; i += 1) {
    value += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[i]! < 0x80) return { value, next: at + i + 1 };
  }
  return undefined;
}
