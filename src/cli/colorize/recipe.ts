import { createHash } from 'node:crypto';
import { type ModelSize, type Preset, presetSizePx } from '../../inference/presets.js';
import type { contactSheet } from '../../inference/render/index.js';
import type { Variant } from '../../inference/variants.js';
import { limits } from '../../studio/limits.js';
import type {
  ChromaUpsampling,
  Colorizer,
  Label,
  ModelFit,
  PhotoInfo,
  Prediction,
  RenderOptions,
  Rendition,
  ResultNote,
} from '../../studio/ports/colorizer.js';
import { PhotoDamaged } from '../errors.js';
import type { BatchContext, PhotoOutcome } from './batch.js';
import { filesOf, type PhotoTask } from './outputs.js';
import { createPixelGate } from './pixel-gate.js';

/** Everything about a result but the photo itself. */
export interface RecipeSettings {
  /** One per picture to write. */
  readonly variants: readonly Variant[];
  readonly fit?: ModelFit;
  readonly upsampling: ChromaUpsampling;
  readonly quality: number;
  /** Visible label; absent: none. */
  readonly labelText?: string;
  readonly producer: string;
  /** Hash of each model's file, so that another model under the same name is another result. */
  readonly modelHashes: readonly string[];
  /** Its size counts where a variant names none; `auto` depends on the photo. */
  readonly preset: Preset;
}

/** What colouring for a batch needs. */
export interface RecipeDeps {
  readonly colorizer: Colorizer;
  /** Input size that a model is made for. */
  readonly ownSize: (model: string) => Promise<ModelSize>;
  readonly contactSheet: typeof contactSheet;
  /** Predictions come from other boxes: nothing is decoded or held while they are on their way. */
  readonly elsewhere?: boolean;
  /** Damaged photos are refused, not coloured as far as they go. */
  readonly strict?: boolean;
}

/** How each photo of a batch is coloured. */
export interface Recipe {
  /** Changes whenever the same photo would give another result. */
  readonly fingerprint: string;
  colour(
    task: PhotoTask,
    key: string,
    context: BatchContext,
  ): Promise<Pick<PhotoOutcome, 'notes' | 'prediction' | 'files' | 'damage'>>;
}

/** Raise when the pipeline changes what comes out: finished work of older versions is then redone. */
const pipelineVersion = 1;

/** One or several ways to colour a photo, from prediction to the files of a task. */
export function createRecipe(deps: RecipeDeps, settings: RecipeSettings): Recipe {
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([pipelineVersion, settings]))
    .digest('hex');
  const gate = createPixelGate(limits.photo.megapixels);
  return {
    fingerprint,
    colour: async (task, key, context) => {
      const photo = await deps.colorizer.inspect(task.file);
      if (deps.strict && photo.damage) throw new PhotoDamaged(photo.damage.missingPercent);
      const megapixels = (photo.widthPx * photo.heightPx) / 1e6;
      const work = { task, photo, key, context };
      const predict = rememberPredictions(work, deps, settings);
      if (deps.elsewhere) {
        const part = partOf(context, 0, settings.variants.length);
        for (const variant of settings.variants) await predict(variant, part(0, 0.6));
      }
      const coloured = await gate.run(megapixels, () => colourPhoto(deps, settings, work, predict));
      return photo.damage ? { ...coloured, damage: photo.damage } : coloured;
    },
  };
}

interface Work {
  readonly task: PhotoTask;
  readonly photo: PhotoInfo;
  readonly key: string;
  readonly context: BatchContext;
}

type Predict = (variant: Variant, context: BatchContext) => Promise<Prediction>;

async function colourPhoto(
  deps: RecipeDeps,
  settings: RecipeSettings,
  work: Work,
  predict: Predict,
) {
  const { task, context } = work;
  const label = labelFor(work.key, settings);
  const steps = planSteps(task, settings);
  const notes: ResultNote[] = [];
  const renditions: Rendition[] = [];
  for (const [i, step] of steps.entries()) {
    const part = partOf(context, i, steps.length);
    const predicting = predict(step.variant, part(0, 0.6));
    const options = renderOptions(step, task, label, settings);
    const rendition = await deps.colorizer.render(
      task.file,
      predicting.then(({ chroma }) => chroma),
      step.output,
      options,
      part(0.6, 1),
    );
    notes.push(...(await predicting).notes, ...rendition.notes);
    if (step.layout === 'colour') renditions.push(rendition);
  }
  if (task.contactSheet) {
    // Each picture on the sheet shows its own visible label.
    const unseen = { ...label, text: undefined };
    await deps.contactSheet(renditions, task.contactSheet, { label: unseen });
    notes.push(...settings.variants.map(describeVariant));
  }
  const first = await predict(settings.variants[0]!, context);
  const { provider, model, inputWidthPx, inputHeightPx, joules, card, cardId, worker } = first;
  const inferenceSeconds = first.seconds;
  // By name: a plane of colours in every outcome would stay in memory for the whole batch.
  const prediction = {
    ...{ provider, model, inputWidthPx, inputHeightPx, inferenceSeconds },
    ...(joules === undefined ? {} : { joules }),
    ...(card === undefined ? {} : { card }),
    ...(cardId === undefined ? {} : { cardId }),
    ...(worker === undefined ? {} : { worker }),
  };
  return { notes: distinct(notes), prediction, files: filesOf(task) };
}

/** Variants that differ in finishing only, and the comparison, share one inference. */
function rememberPredictions(work: Work, deps: RecipeDeps, settings: RecipeSettings): Predict {
  const known = new Map<string, Promise<Prediction>>();
  return async (variant, context) => {
    const sizePx = await sizeFor(variant, work.photo, deps, settings);
    const id = `${variant.model}\n${sizePx}`;
    const options = { model: variant.model, sizePx, fit: settings.fit };
    const prediction = known.get(id) ?? deps.colorizer.predict(work.task.file, options, context);
    known.set(id, prediction);
    return prediction;
  };
}

interface Step {
  readonly variant: Variant;
  readonly output: string;
  readonly layout: 'colour' | 'comparison';
}

/** The pictures to render, in order: predictions are shared between steps that agree on them. */
function planSteps(task: PhotoTask, { variants }: RecipeSettings): Step[] {
  const outputs = task.variants.length > 0 ? task.variants : [task.output];
  const pictures = outputs.map((output, i) => ({
    variant: variants[i]!,
    output,
    layout: 'colour' as const,
  }));
  if (!task.comparison) return pictures;
  return [
    ...pictures,
    { variant: variants[0]!, output: task.comparison, layout: 'comparison' as const },
  ];
}

function renderOptions(
  step: Step,
  task: PhotoTask,
  label: Label,
  { upsampling, quality }: RecipeSettings,
): RenderOptions {
  const { variant, layout } = step;
  return { ...variant.finishing, upsampling, format: task.format, quality, layout, label };
}

/** Numbered from content and options: the same work carries the same number wherever it is done. */
function labelFor(key: string, { labelText, producer }: RecipeSettings): Label {
  return { text: labelText, producer, produceId: `hc-${key.slice(0, 32)}` };
}

async function sizeFor(
  { model, sizePx }: Variant,
  photo: PhotoInfo,
  { ownSize }: RecipeDeps,
  { preset }: RecipeSettings,
): Promise<number> {
  if (sizePx !== undefined) return sizePx;
  if (preset.sizePx !== undefined) return preset.sizePx;
  return presetSizePx(preset, photo, await ownSize(model));
}

/** Progress of a part (from..to) of one step out of several. */
function partOf({ signal, onProgress }: BatchContext, step: number, steps: number) {
  return (from: number, to: number): BatchContext => ({
    signal,
    onProgress: (share) => onProgress((step + from + share * (to - from)) / steps),
  });
}

/** What a number on the contact sheet stands for. */
function describeVariant({ model, sizePx, finishing }: Variant, i: number): ResultNote {
  const { strength = 1, warmth = 0 } = finishing;
  const size = sizePx === undefined ? '' : `${sizePx} px`;
  return { key: 'cli.variant', params: { number: i + 1, model, size, strength, warmth } };
}

function distinct(notes: ResultNote[]): ResultNote[] {
  return [...new Map(notes.map((note) => [JSON.stringify(note), note])).values()];
}
