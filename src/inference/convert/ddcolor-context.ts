import type { DdcolorShape } from './ddcolor-shape.js';
import type { DdcolorWeights } from './ddcolor-weights.js';
import type { Layers } from './layers.js';

/** What every part of the network's builder works with. */
export interface DdcolorContext {
  /** Layers over the graph being built. */
  readonly l: Layers;
  /** Weights by key. */
  readonly w: DdcolorWeights;
  readonly shape: DdcolorShape;
}
