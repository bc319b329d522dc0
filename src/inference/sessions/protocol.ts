import type { ModelContract } from './contract.js';
import type { ProviderFault } from './providers.js';

/** Everything the child needs to build a session. */
export interface LoadSpec {
  readonly modelFile: string;
  readonly modelId: string;
  readonly providers: readonly string[];
  readonly threads: number;
  readonly deviceId: number;
}

/** Pixels travel as typed arrays through the structured clone of the IPC channel, never as JSON. */
export type Command =
  | { readonly id: number; readonly kind: 'load'; readonly spec: LoadSpec }
  | {
      readonly id: number;
      readonly kind: 'run';
      readonly widthPx: number;
      readonly heightPx: number;
      /** One plane [H, W] when R, G and B are the same (they are, for grey), else all three. */
      readonly planes: Float32Array;
    };

/**
 * `unfit`: not our network. `memory`: too large. `numeric`: NaN or infinite. `failed`: the rest.
 */
export type FailureKind = 'unfit' | 'memory' | 'numeric' | 'failed';

/** Why the child could not. */
export interface Failure {
  readonly kind: FailureKind;
  readonly reason: string;
  /** For `unfit`. */
  readonly expected?: string;
  readonly found?: string;
}

/** Resident memory of the child, bytes: now, and at its highest. */
export interface Vitals {
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

/** What a run gave; the seconds are the network's alone. */
export interface RunResult {
  /** float32 [2, H, W]. */
  readonly ab: Float32Array;
  readonly seconds: number;
  readonly meanChroma: number;
}

/** What a model was found to be, and what did not work on the way. */
export interface LoadResult {
  readonly contract: ModelContract;
  readonly fallbacks: readonly ProviderFault[];
}

/** What the child says. */
export type Reply =
  | { readonly kind: 'ready' }
  /** About to touch this provider: if the process dies now, it is to blame. */
  | { readonly kind: 'trying'; readonly provider: string }
  | ({ readonly id: number; readonly kind: 'loaded' } & LoadResult & { readonly vitals: Vitals })
  | ({ readonly id: number; readonly kind: 'result' } & RunResult & { readonly vitals: Vitals })
  | {
      readonly id: number;
      readonly kind: 'failure';
      readonly failure: Failure;
      readonly vitals: Vitals;
    };
