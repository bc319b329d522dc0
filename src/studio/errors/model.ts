import { StudioError } from './base.js';

/** No such model here. The message says how to get it. */
export class ModelMissing extends StudioError {
  constructor(
    readonly model: string,
    hint: string,
    /** A message that says the hint in the reader's language, e.g. `model.missingPull`. */
    messageKey = 'model.missing',
    more: Readonly<Record<string, string | number>> = {},
  ) {
    super('MODEL_MISSING', messageKey, 'never', `model ${model} is not here: ${hint}`, {
      params: { model, hint, ...more },
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
    /** A more telling message where the cause is known, e.g. `model.unfitCheckpoint`. */
    messageKey = 'model.unfit',
    more: Readonly<Record<string, string | number>> = {},
  ) {
    super(
      'MODEL_UNFIT',
      messageKey,
      'never',
      `model ${model}: expected ${expected}, found ${found}`,
      { params: { model, expected, found, ...more }, cause },
    );
  }
}

/** With 8-bit integers this machine computes something else than with float32. */
export class Int8Differs extends StudioError {
  constructor(
    readonly model: string,
    /** Root mean square of the difference over that of the float32 answer; NaN: no numbers. */
    readonly difference: number,
  ) {
    const percent = Number.isFinite(difference) ? (100 * difference).toFixed(1) : 'NaN';
    super(
      'INT8_DIFFERS',
      'model.int8Differs',
      'never',
      `model ${model}: int8 and float32 differ by ${percent} % on this machine`,
      { params: { model, percent } },
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

/** The card rests because of heat, or its driver is silent. No attempt: others may take the job. */
export class CardPaused extends StudioError {
  constructor(
    readonly card: string,
    readonly temperatureC: number | string,
  ) {
    super(
      'CARD_PAUSED',
      'inference.cardPaused',
      'later',
      `card ${card} rests at ${temperatureC} °C`,
      { params: { card, temperatureC } },
    );
  }
}

/** No mirror gave the file; `reasons` has one line for each that was tried. */
export class ModelDownloadFailed extends StudioError {
  constructor(
    readonly model: string,
    readonly reasons: readonly string[],
    cause?: unknown,
  ) {
    const list = reasons.map((reason) => `  ${reason}`).join('\n');
    super(
      'MODEL_DOWNLOAD_FAILED',
      'model.downloadFailed',
      'later',
      `model ${model} could not be downloaded:\n${list}`,
      { params: { model, list }, cause },
    );
  }
}

/** The file here is not what it was when it was installed, or not what the catalog names. */
export class ModelDamaged extends StudioError {
  constructor(
    readonly model: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      'MODEL_DAMAGED',
      'model.damaged',
      'never',
      `model ${model}: expected ${expected}, found ${found}`,
      { params: { model, expected, found } },
    );
  }
}

/** A name for an imported model that cannot be one, or is a catalog model's. */
export class ModelIdInvalid extends StudioError {
  constructor(readonly id: string) {
    super('MODEL_ID_INVALID', 'model.idInvalid', 'never', `model id ${id} cannot be used`, {
      params: { id },
    });
  }
}

/** A model that ships with the package cannot be removed. */
export class ModelBundled extends StudioError {
  constructor(readonly model: string) {
    super('MODEL_BUNDLED', 'model.bundled', 'never', `model ${model} is part of the package`, {
      params: { model },
    });
  }
}
