import { StudioError } from './base.js';

/** No such model here. The message says how to get it. */
export class ModelMissing extends StudioError {
  constructor(
    readonly model: string,
    hint: string,
  ) {
    super('MODEL_MISSING', 'model.missing', 'never', `model ${model} is not here: ${hint}`, {
      params: { model, hint },
    });
  }
}

/** The file is there but is not a colouriser we can run. */
export class ModelUnfit extends StudioError {
  constructor(
    readonly model: string,
    readonly expected: string,
    readonly found: string,
    cause?: unknown,
  ) {
    super(
      'MODEL_UNFIT',
      'model.unfit',
      'never',
      `model ${model}: expected ${expected}, found ${found}`,
      { params: { model, expected, found }, cause },
    );
  }
}

/** The network ran and failed, or its process died. */
export class InferenceFailed extends StudioError {
  constructor(reason: string, cause?: unknown) {
    super('INFERENCE_FAILED', 'inference.failed', 'later', `inference failed: ${reason}`, {
      cause,
      params: { reason },
    });
  }
}

/** Not enough memory on the device at this size. */
export class InferenceOutOfMemory extends StudioError {
  constructor(
    readonly provider: string,
    readonly sizePx: number,
    cause?: unknown,
  ) {
    super(
      'INFERENCE_OUT_OF_MEMORY',
      'inference.outOfMemory',
      'smaller',
      `out of memory on ${provider} at ${sizePx} px`,
      { cause, params: { provider, sizePx } },
    );
  }
}
