import path from 'node:path';
import { type PresetName, readPreset } from '../../inference/presets.js';
import { planVariants, sizesAround, type Variant } from '../../inference/variants.js';
import type {
  ChromaUpsampling,
  Finishing,
  ImageFormat,
  ModelFit,
} from '../../studio/ports/colorizer.js';
import { type Engine, openEngine } from '../engine.js';
import { WrongUse } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import { runBatch } from './batch.js';
import { findInputs } from './inputs.js';
import { openJournals } from './journals.js';
import { outputIsFile, type PhotoTask, planOutputs } from './outputs.js';
import { createProgress } from './progress.js';
import { createRecipe, type Recipe } from './recipe.js';
import { exitCodeFor, printSummary } from './summary.js';
import { createWork } from './work.js';

/** As commander hands them over; ranges are checked there. */
export interface ColorizeOptions extends GlobalOptions, Finishing {
  readonly output?: string;
  readonly recursive?: boolean;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly concurrency: number;
  readonly compare?: boolean;
  readonly variants: number;
  readonly seed: number;
  readonly format?: ImageFormat;
  readonly quality: number;
  /** Text; true or undefined: as the settings say; false: none. */
  readonly label?: string | boolean;
  readonly preset: PresetName;
  readonly size?: readonly number[];
  readonly model?: readonly string[];
  readonly fit?: ModelFit;
  readonly upsampling?: ChromaUpsampling;
}

/** `huancai colorize`. */
export async function colorize(
  args: readonly string[],
  options: ColorizeOptions,
): Promise<ExitCode> {
  const shell = openShell(options);
  const tasks = await planTasks(args, options, shell);
  refuseContradictions(options);
  const interrupt = listenForInterrupt(() => shell.output.notice(shell.t('cli.interrupted')));
  const engine = await openEngine(shell);
  const journals = openJournals(tasks.length > 1 || options.resume === true, shell);
  try {
    const startedAt = shell.now();
    const recipe = await planRecipe(options, shell, engine);
    const work = createWork(
      { recipe, journalFor: journals.get, isOurs: engine.isLabelled, now: shell.now },
      { resume: options.resume === true, overwrite: options.overwrite === true },
    );
    const outcomes = await runBatch(tasks, work, {
      concurrency: options.concurrency,
      signal: interrupt.signal,
      now: shell.now,
      listener: createProgress(shell),
    });
    printSummary(outcomes, (shell.now() - startedAt) / 1000, shell);
    return exitCodeFor(outcomes);
  } finally {
    journals.close();
    await engine.close();
    interrupt.close();
  }
}

async function planTasks(
  args: readonly string[],
  options: ColorizeOptions,
  { cwd, t }: Shell,
): Promise<PhotoTask[]> {
  const isFolder = options.output !== undefined && !outputIsFile(options.output, 1);
  const photos = await findInputs(args, {
    cwd,
    recursive: options.recursive === true,
    outputDir: isFolder ? path.resolve(cwd, options.output!) : undefined,
  });
  if (photos.length === 0) {
    throw new WrongUse(t('cli.noPhotos', { where: args.join(', ') }));
  }
  return planOutputs(photos, {
    cwd,
    output: options.output,
    format: options.format,
    compare: options.compare === true,
    variants: options.variants,
  });
}

function refuseContradictions({ size, model, variants }: ColorizeOptions): void {
  if (variants > 1) return;
  if ((size?.length ?? 1) > 1) throw new WrongUse('several values of --size need --variants');
  if ((model?.length ?? 1) > 1) throw new WrongUse('several values of --model need --variants');
}

async function planRecipe(options: ColorizeOptions, shell: Shell, engine: Engine): Promise<Recipe> {
  const { config } = shell;
  const models = options.model ?? [config.inference.model];
  // A missing model would fail every photo: find out before the first.
  const modelHashes = await Promise.all(models.map(engine.modelHash));
  const preset = readPreset(path.join(packageRoot, 'config', 'workflows'), options.preset);
  const wanted = options.label ?? config.label.visible;
  return createRecipe(
    { colorizer: engine.colorizer, ownSizePx: engine.ownSizePx, contactSheet: engine.contactSheet },
    {
      variants: await chooseVariants(options, models, preset.sizePx, engine),
      fit: options.fit ?? config.inference.fit ?? undefined,
      upsampling: options.upsampling ?? config.inference.upsampling,
      quality: options.quality,
      labelText: wanted === true ? config.label.text : wanted || undefined,
      producer: config.label.producer,
      modelHashes,
      preset,
    },
  );
}

async function chooseVariants(
  options: ColorizeOptions,
  models: readonly string[],
  presetPx: number | undefined,
  engine: Engine,
): Promise<Variant[]> {
  const { strength, warmth, whiteBalance, denoise, sharpen, contrast } = options;
  const finishing = { strength, warmth, whiteBalance, denoise, sharpen, contrast };
  const source = { models, finishing, seed: options.seed, sizesPx: options.size ?? [] };
  if (options.variants === 1 || options.size) return planVariants(options.variants, source);
  const sizesPx = sizesAround(presetPx ?? (await engine.ownSizePx(models[0]!)));
  return planVariants(options.variants, { ...source, sizesPx });
}
