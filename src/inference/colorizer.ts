import { stat } from 'node:fs/promises';
import { ModelMissing } from '../studio/errors/index.js';
import type {
  Colorizer,
  ModelFit,
  PhotoInfo,
  Prediction,
  PredictOptions,
  RunContext,
} from '../studio/ports/colorizer.js';
import { readPhotoHeader } from './codec/photo-header.js';
import { cappedNote } from './gpu/card-memory.js';
import {
  cropAnswer,
  inspectPhoto,
  type ModelInput,
  modelInput,
  type PhotoLimits,
  type Renderer,
} from './render/index.js';
import {
  chooseInputSize,
  DEFAULT_SIZE_PX,
  type HostPrediction,
  type InferenceHost,
  type ModelContract,
  type SizeChoice,
} from './sessions/index.js';

/** A model that is here and may run. */
export interface UsableModel {
  readonly id: string;
  readonly file: string;
  /** What its catalog entry says; the port's options win. */
  readonly sizePx?: number;
  readonly fit?: ModelFit;
}

/** What a colorizer works with. */
export interface ColorizerDeps {
  readonly host: InferenceHost;
  readonly renderer: Renderer;
  /** By catalog id or path. @throws {ModelMissing | ModelUnfit} */
  readonly resolveModel: (model: string) => Promise<UsableModel>;
  /** What the card takes of a model; absent: any size. */
  readonly capacity?: (modelId: string) => Promise<ModelCapacity | undefined>;
}

/** A card's bound for one model. */
export interface ModelCapacity {
  /** Named in the note of a bounded result. */
  readonly card: string;
  readonly longestSidePx: number;
}

/** What photos it takes. */
export interface ColorizerConfig {
  readonly limits: PhotoLimits;
}

/**
 * The engine as one port: a photo's lightness goes to the inference process, its answer comes back
 * as a chroma plane, the renderer combines both. Closing it closes host and renderer.
 */
export function createColorizer(deps: ColorizerDeps, { limits }: ColorizerConfig): Colorizer {
  const { host, renderer, resolveModel } = deps;
  const contractOf = rememberContracts(host);
  return {
    inspect: (file) => inspectPhoto(file, limits),
    predict: (file, options, context = {}) => predict(file, options, context),
    render: (file, chroma, output, options, context) =>
      renderer.render(file, chroma, output, options, context),
    close: async () => {
      await Promise.all([host.close(), renderer.close()]);
    },
  };

  /** The processor has the machine's memory: nothing bounds it. */
  async function bounded(
    model: UsableModel,
    contract: ModelContract,
    photo: PhotoInfo,
    { sizePx, fit }: Pick<PredictOptions, 'sizePx' | 'fit'>,
  ): Promise<SizeChoice> {
    const asked = sizePx ?? model.sizePx ?? DEFAULT_SIZE_PX;
    const capacity = contract.fixed ? undefined : await deps.capacity?.(model.id);
    if (!capacity || asked <= capacity.longestSidePx)
      return chooseInputSize(contract, photo, { sizePx: asked, ...(fit ? { fit } : {}) });
    const used = capacity.longestSidePx;
    const size = chooseInputSize(contract, photo, { sizePx: used, ...(fit ? { fit } : {}) });
    return { ...size, notes: [cappedNote(capacity.card, asked, used), ...size.notes] };
  }

  async function predict(
    file: string,
    options: PredictOptions,
    context: RunContext,
  ): Promise<Prediction> {
    const { signal } = context;
    const model = await resolveModel(options.model);
    const [header, contract] = await Promise.all([
      readPhotoHeader(file, limits),
      contractOf(model),
    ]);
    const photo = header.info;
    const fit = options.fit ?? model.fit ?? 'stretch';
    const size = await bounded(model, contract, photo, { ...options, fit });
    const input = await modelInput(file, { ...size, fit }, { limits, header, signal });
    context.onProgress?.(0.2);
    const answer = await host.predict(
      {
        modelFile: model.file,
        modelId: model.id,
        tensor: input.tensor,
        widthPx: size.widthPx,
        heightPx: size.heightPx,
      },
      { signal },
    );
    context.onProgress?.(1);
    return {
      chroma: cropAnswer(answer.ab, answer.widthPx, answer.heightPx, contentOf(input, answer)),
      model: model.id,
      inputWidthPx: answer.widthPx,
      inputHeightPx: answer.heightPx,
      provider: answer.provider,
      seconds: answer.seconds,
      ...(answer.joules === undefined ? {} : { joules: answer.joules }),
      ...(answer.card === undefined ? {} : { card: answer.card, cardId: answer.cardId }),
      meanChroma: answer.meanChroma,
      notes: [...photo.notes, ...size.notes, ...answer.notes],
    };
  }
}

/**
 * Contracts by file, size and time: asking the host again would wait behind the inference that is
 * running, and the next photo could not be decoded meanwhile.
 */
function rememberContracts(host: InferenceHost) {
  const known = new Map<string, Promise<ModelContract>>();
  return async ({ file, id }: UsableModel): Promise<ModelContract> => {
    const { size, mtimeMs } = await stat(file).catch(() => {
      throw new ModelMissing(id, `there is no file ${file}`);
    });
    const key = `${file}\n${size}\n${mtimeMs}`;
    const contract = known.get(key) ?? host.describe(file, id);
    known.set(key, contract);
    contract.catch(() => known.delete(key));
    return contract;
  };
}

/** Where the photo lies in the answer, which is smaller than the input where memory ran out. */
function contentOf({ content, widthPx, heightPx }: ModelInput, answer: HostPrediction) {
  const x = (px: number) => Math.round((px * answer.widthPx) / widthPx);
  const y = (px: number) => Math.round((px * answer.heightPx) / heightPx);
  const left = x(content.xPx);
  const top = y(content.yPx);
  return {
    xPx: left,
    yPx: top,
    widthPx: Math.max(1, x(content.xPx + content.widthPx) - left),
    heightPx: Math.max(1, y(content.yPx + content.heightPx) - top),
  };
}
