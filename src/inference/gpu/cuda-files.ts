import { readlinkSync, realpathSync } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { createProgram } from './run-program.js';

/** What CUDA needs on Linux x64; see scripts/install-gpu.sh, which installs it. */
export interface CudaFiles {
  /** onnxruntime's CUDA provider is there. */
  readonly provider: boolean;
  /** Libraries of CUDA 12 that the loader would not find. */
  readonly missing: readonly string[];
  /** Absent: no cuDNN 9. */
  readonly cudnnVersion?: string;
}

const LIBRARIES = [
  'libcudart.so.12',
  'libcublas.so.12',
  'libcublasLt.so.12',
  'libcufft.so.11',
  'libcurand.so.10',
];

/** @param ldconfig name or path. */
export async function findCudaFiles(ldconfig = 'ldconfig'): Promise<CudaFiles> {
  const answer = await createProgram(ldconfig, 10_000)(['-p']);
  const text = answer.kind === 'answered' ? answer.text : '';
  const places = new Map<string, string>();
  for (const [, name, file] of text.matchAll(/^\s*(\S+) \([^)]*\) => (\S+)$/gm)) {
    if (!places.has(name!)) places.set(name!, file!);
  }
  const cudnn = places.get('libcudnn.so.9');
  const runtime = path.dirname(require.resolve('onnxruntime-node/package.json'));
  const file = 'bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so';
  const provider = await access(path.join(runtime, file)).then(
    () => true,
    () => false,
  );
  return {
    provider,
    missing: LIBRARIES.filter((name) => !places.has(name)),
    ...(cudnn ? { cudnnVersion: versionOf(cudnn) } : {}),
  };
}

/** The link's target carries the whole version: libcudnn.so.9.10.2. */
function versionOf(file: string): string {
  const target = readTarget(file);
  return path.basename(target).replace('libcudnn.so.', '');
}

function readTarget(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    try {
      return readlinkSync(file);
    } catch {
      return file;
    }
  }
}

/** Compares dotted versions by their numbers. */
export function atLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number)) as [
    number[],
    number[],
  ];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] || 0) - (b[i] || 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
