import path from 'node:path';
import { loadGlyphs } from '../../inference/label/glyphs.js';
import { type PresetName, readPreset } from '../../inference/presets.js';
import { planVariants, sizesAround, type Variant } from '../../inference/variants.js';
import { ModelUnfit } from '../../studio/errors/index.js';
import type {
  ChromaUpsampling,
  Finishing,
  ImageFormat,
  ModelFit,
} from '../../studio/ports/colorizer.js';
import { WrongUse } from '../errors.js';
import type { GlobalOptions } from '../open-shell.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import type { ColouringEngine } from './colouring-engine.js';
import { createRecipe, type Recipe } from './recipe.js';

/** As commander hands them over; ranges are checked there. */
export interface ColorizeOptions extends GlobalOptions, Finishing {
  readonly output?: string;
  readonly recursive?: boolean;
  /** The network runs on the workers of the studio's queue. */
  readonly fleet?: boolean;
  readonly resume?: boolean;
  /** Damaged photos fail instead of being coloured as far as they go. */
  readonly strict?: boolean;
  readonly overwrite?: boolean;
  /** Absent: as many as the cards want. */
  readonly concurrency?: number;
  readonly compare?: boolean;
  /** JSON lines and a table of what was done; the name without its ending. */
  readonly manifest?: string;
  /** Folder of a page with before and after of every photo. */
  readonly contactSheet?: string;
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

/** The options of a run as a recipe: models found, variants planned, label decided. */
export async function planRecipe(
  options: ColorizeOptions,
  { config }: Pick<Shell, 'config'>,
  engine: ColouringEngine,
): Promise<Recipe> {
  const models = options.model ?? [config.inference.model];
  // A model that is missing or does not fit would fail every photo: find out before the first.
  const modelHashes = await Promise.all(models.map(engine.modelHash));
  // A resumed run may find nothing left to do, and loads no model for that.
  if (!options.resume) for (const model of models) await engine.ownSize(model).catch(rethrowUnfit);
  const preset = readPreset(path.join(packageRoot, 'config', 'workflows'), options.preset);
  const labelText = await chooseLabel(options, config.label);
  return createRecipe(
    { ...engine, strict: options.strict === true },
    {
      variants: await chooseVariants(options, models, preset.sizePx, engine),
      fit: options.fit ?? config.inference.fit ?? undefined,
      upsampling: options.upsampling ?? config.inference.upsampling,
      quality: options.quality,
      labelText,
      producer: config.label.producer,
      modelHashes,
      preset,
    },
  );
}

/** The visible label, if there is one: it would fail every photo if it could not be drawn. */
async function chooseLabel(
  { label }: ColorizeOptions,
  { visible, text }: Shell['config']['label'],
): Promise<string | undefined> {
  const wanted = label ?? visible;
  const chosen = wanted === true ? text : wanted || undefined;
  const missing = chosen === undefined ? [] : (await loadGlyphs()).missing(chosen);
  if (missing.length === 0) return chosen;
  const params = { option: wanted === true ? 'label.text' : '--label', missing: missing.join(' ') };
  throw new WrongUse(`${params.option}: no outline for ${params.missing}`, 'cli.label', params);
}

async function chooseVariants(
  options: ColorizeOptions,
  models: readonly string[],
  presetPx: number | undefined,
  engine: ColouringEngine,
): Promise<Variant[]> {
  const { strength, warmth, whiteBalance, denoise, sharpen, contrast } = options;
  const finishing = { strength, warmth, whiteBalance, denoise, sharpen, contrast };
  const source = { models, finishing, seed: options.seed, sizesPx: options.size ?? [] };
  if (options.variants === 1 || options.size) return planVariants(options.variants, source);
  const own = await engine.ownSize(models[0]!);
  const sizesPx = own.fixed ? [] : sizesAround(presetPx ?? own.sizePx);
  return planVariants(options.variants, { ...source, sizesPx });
}

/** Whatever else goes wrong may not with the next photo. */
function rethrowUnfit(error: unknown): void {
  if (error instanceof ModelUnfit) throw error;
}
