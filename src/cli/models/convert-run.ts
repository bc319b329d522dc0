import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import {
  type ConvertOptions,
  checkInt8,
  convertCheckpoint,
  optimizeOnnx,
  photoDifferences,
} from '../../inference/convert/index.js';
import type { ConvertCheckpoint } from '../../inference/models/index.js';
import { OutputExists } from '../errors.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import { createPullProgress, megabytes } from './progress.js';

export interface ConvertCommandOptions extends GlobalOptions {
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly fp16Weights?: boolean;
  readonly int8?: boolean;
  readonly photos?: readonly string[];
  readonly heads?: number;
  readonly ignoreExtraKeys?: boolean;
  readonly form?: ConvertOptions['form'];
}

export interface OptimizeCommandOptions extends GlobalOptions {
  readonly output?: string;
  readonly overwrite?: boolean;
}

export function convertModel(input: string, options: ConvertCommandOptions): Promise<ExitCode> {
  return withInterrupt(options, async (shell, signal) => {
    const { output, t } = shell;
    const checkpoint = path.resolve(shell.cwd, input);
    const target = path.resolve(shell.cwd, options.output ?? onnxNameOf(checkpoint));
    refuseExisting(target, options.overwrite);
    const settings = { ...readSettings(options), signal };
    const convert = options.int8 ? convertInt8 : convertShown;
    const result = await convert(shell, checkpoint, target, settings);
    const { bytes, ignored } = result;
    output.record({ type: 'converted', file: target, bytes, shape: result.shape, ignored });
    output.line(t('convert.done', { file: target, size: megabytes(bytes) }));
    if (ignored.length > 0) output.line(t('convert.ignored', { count: ignored.length }));
    if (options.int8) await reportInt8(shell, checkpoint, target, settings, options.photos);
    else output.line(t('convert.use', { file: target }));
    return exitCodes.done;
  });
}

export function optimizeModel(input: string, options: OptimizeCommandOptions): Promise<ExitCode> {
  return withInterrupt(options, async (shell, signal) => {
    const { output, t } = shell;
    const model = path.resolve(shell.cwd, input);
    const target = path.resolve(shell.cwd, options.output ?? model);
    if (target !== model) refuseExisting(target, options.overwrite);
    output.notice(t('convert.optimizing', { file: model }));
    const result = await optimizeOnnx(model, target, signal);
    output.record({ type: 'optimized', file: target, ...result });
    const params = {
      ...{ file: target, folded: result.folded, merged: result.merged },
      before: megabytes(result.bytesBefore),
      after: megabytes(result.bytesAfter),
      difference: result.difference.toExponential(1),
    };
    output.line(t(`convert.optimized.${result.outcome}`, params));
    return result.outcome === 'differs' ? exitCodes.someFailed : exitCodes.done;
  });
}

/** What the model store converts with. */
export const convertForStore: ConvertCheckpoint = async (input, output, options) => {
  const { signal, onProgress } = options;
  await convertCheckpoint(input, output, {
    signal,
    // The file is the catalog's by its hash, or the operator's own: surplus weights do no harm.
    ignoreExtraKeys: true,
    onProgress: (written, total) => onProgress?.(written / total),
  });
};

function readSettings(options: ConvertCommandOptions): ConvertOptions {
  const { heads, int8, ignoreExtraKeys, form } = options;
  const storage = options.fp16Weights ? 'float16' : 'float32';
  return { heads, int8, ignoreExtraKeys, form, storage };
}

async function convertShown(
  shell: Shell,
  checkpoint: string,
  target: string,
  settings: ConvertOptions,
) {
  const progress = createPullProgress(shell, path.basename(checkpoint));
  const onProgress = (written: number, total: number) =>
    progress.show({ step: 'converting', share: written / total });
  try {
    return await convertCheckpoint(checkpoint, target, { ...settings, onProgress });
  } finally {
    progress.end();
  }
}

/** An int8 model gets its name only when this machine computes with it what float32 gives. */
async function convertInt8(
  shell: Shell,
  checkpoint: string,
  target: string,
  settings: ConvertOptions,
) {
  const unchecked = `${target}.${process.pid}.unchecked`;
  try {
    const result = await convertShown(shell, checkpoint, unchecked, settings);
    shell.output.notice(shell.t('convert.checkingInt8'));
    await checkInt8(unchecked, path.basename(target), settings.signal);
    renameSync(unchecked, target);
    return result;
  } finally {
    rmSync(unchecked, { force: true });
  }
}

/** Nobody sees an int8 model without its measured colour difference against float32. */
async function reportInt8(
  shell: Shell,
  checkpoint: string,
  target: string,
  settings: ConvertOptions,
  given: readonly string[] | undefined,
): Promise<void> {
  const { output, t, cwd } = shell;
  // Beside the result: /tmp may be memory.
  const folder = mkdtempSync(path.join(path.dirname(target), '.huancai-int8-'));
  try {
    const photos = given?.map((photo) => path.resolve(cwd, photo)) ?? (await demoPhotos(folder));
    output.notice(t('convert.measuring', { count: photos.length }));
    const reference = path.join(folder, 'float32.onnx');
    await convertShown(shell, checkpoint, reference, { ...settings, int8: false });
    const { signal } = settings;
    const differences = await photoDifferences(reference, target, photos, { signal });
    for (const { photo, mean, p95, max } of differences) {
      output.record({ type: 'deltaE', photo, mean, p95, max });
      const numbers = { mean: mean.toFixed(2), p95: p95.toFixed(2), max: max.toFixed(2) };
      output.line(t('convert.deltaE', { photo: path.basename(photo), ...numbers }));
    }
    output.line(t('convert.deltaEMeaning'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The demo photograph and its four quarters: five different compositions. */
async function demoPhotos(folder: string): Promise<string[]> {
  const demo = path.join(packageRoot, 'assets', 'demo', 'photographer.jpg');
  const { width, height } = await sharp(demo).metadata();
  const half = { width: Math.floor(width / 2), height: Math.floor(height / 2) };
  const quarters = [0, 1, 2, 3].map(async (i) => {
    const file = path.join(folder, `demo-quarter-${i + 1}.png`);
    const place = { left: (i % 2) * half.width, top: Math.floor(i / 2) * half.height };
    await sharp(demo)
      .extract({ ...half, ...place })
      .toFile(file);
    return file;
  });
  return [demo, ...(await Promise.all(quarters))];
}

function onnxNameOf(checkpoint: string): string {
  return path.join(path.dirname(checkpoint), `${path.parse(checkpoint).name}.onnx`);
}

function refuseExisting(file: string, overwrite: boolean | undefined): void {
  if (!overwrite && existsSync(file)) throw new OutputExists(file);
}

async function withInterrupt(
  options: GlobalOptions,
  work: (shell: Shell, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const shell = openShell(options);
  const interrupt = listenForInterrupt(() => shell.output.notice(shell.t('cli.interrupted')));
  try {
    return await work(shell, interrupt.signal);
  } finally {
    interrupt.close();
  }
}
