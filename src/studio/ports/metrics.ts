import type { JobName } from '../jobs.js';
import type { ChannelId } from './basics.js';
import type { GatewayId } from './gateway.js';

/** One inference, wherever in the fleet it ran. */
export interface InferenceFacts {
  readonly model: string;
  /** Longer side of the network's input, px. */
  readonly sizePx: number;
  readonly provider: string;
  /** The network alone. */
  readonly seconds: number;
  /** Measured at the card; absent: not measured. */
  readonly joules?: number;
}

/**
 * Told what happens, for monitoring. Recording never throws, never waits and keeps no personal data:
 * every label is one of a few values.
 */
export interface Metrics {
  /** A handler came to its end. `failed` may be tried again. */
  stageEnded(stage: JobName, seconds: number, result: 'done' | 'failed'): void;
  /** A job was taken up after lying ready for this long. */
  jobWaited(stage: JobName, priority: number, seconds: number): void;
  /** The queue gave up on a job. */
  jobDead(stage: JobName, code: string): void;
  /** A photo's run ended; `code` is the error's, or `ok`. */
  photoEnded(code: string): void;
  inferred(facts: InferenceFacts): void;
  /** Memory ran out: the size was stepped down or the work moved to the CPU. */
  outOfMemory(model: string): void;
  /** A customer could not be told: the channel is away, or the customer is. */
  deliveryFailed(channel: ChannelId, code: string): void;
  /** A day's bill was compared with the books. */
  reconciled(gateway: GatewayId, differences: number): void;
}

const nothing = () => {};

/** For whoever is not watched. */
export const noMetrics: Metrics = {
  stageEnded: nothing,
  jobWaited: nothing,
  jobDead: nothing,
  photoEnded: nothing,
  inferred: nothing,
  outOfMemory: nothing,
  deliveryFailed: nothing,
  reconciled: nothing,
};
