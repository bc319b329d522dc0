import { StudioError } from './base.js';

/** The checkpoint is cut short, or its own numbers contradict each other. */
export class CheckpointDamaged extends StudioError {
  constructor(
    readonly file: string,
    readonly detail: string,
    cause?: unknown,
  ) {
    super('CHECKPOINT_DAMAGED', 'convert.damaged', 'never', `${file} is damaged: ${detail}`, {
      params: { file, detail },
      cause,
    });
  }
}

/** The checkpoint asks for code to be run. Nothing of it was. */
export class CheckpointUnsafe extends StudioError {
  constructor(
    readonly file: string,
    readonly what: string,
  ) {
    super(
      'CHECKPOINT_UNSAFE',
      'convert.unsafe',
      'never',
      `${file} contains ${what}, which a weights file does not need; refused, nothing was run`,
      { params: { file, what } },
    );
  }
}

/** A real weights file, but of a kind the converter does not read. The hint says what to do. */
export class CheckpointUnsupported extends StudioError {
  constructor(
    readonly file: string,
    readonly found: string,
    readonly hint: string,
  ) {
    super('CHECKPOINT_UNSUPPORTED', 'convert.unsupported', 'never', `${file}: ${found}; ${hint}`, {
      params: { file, found, hint },
    });
  }
}

/** The weights are readable but are not a network of the DDColor family. */
export class CheckpointUnfit extends StudioError {
  constructor(
    readonly key: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      'CHECKPOINT_UNFIT',
      'convert.unfit',
      'never',
      `not a DDColor checkpoint: ${key}: expected ${expected}, found ${found}`,
      { params: { key, expected, found } },
    );
  }
}
