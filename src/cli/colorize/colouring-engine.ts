import type { Engine } from '../engine.js';

/** An engine as a batch uses it, here or in a fleet. */
export interface ColouringEngine
  extends Pick<
    Engine,
    'colorizer' | 'contactSheet' | 'modelHash' | 'ownSize' | 'isLabelled' | 'close'
  > {
  /** Photos under way at once, unless the options say otherwise. */
  readonly photosAtOnce: number;
  /** Predictions come from other boxes and may take minutes: nothing is held meanwhile. */
  readonly elsewhere: boolean;
}
