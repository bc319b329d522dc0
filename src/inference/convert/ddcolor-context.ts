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

/** The builder's tools for a graph that follows the reference line by line. */
export interface PlainContext extends DdcolorContext {
  /** A weight as it lies in the checkpoint. */
  load(key: string, shape: readonly number[]): string;
  /** x W^T + b. */
  dense(x: string, prefix: string, inputs: number, outputs: number): string;
  /** Remember a value under a name of its own. @returns the value. */
  mark(name: string, value: string): string;
}
