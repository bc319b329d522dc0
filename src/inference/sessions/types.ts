import type { ResultNote, RunContext } from '../../studio/ports/colorizer.js';
import type { CardGate } from '../gpu/card-gate.js';
import type { ModelContract } from './contract.js';
import type { ProviderFault } from './providers.js';
import type { ChildExit } from './supervised-child.js';

/** One photo as the network sees it. */
export interface PredictRequest {
  readonly modelFile: string;
  /** Named in errors and notes. */
  readonly modelId: string;
  /** float32 [1, 3, heightPx, widthPx], RGB-grey, 0..1. Never changed; copied before `await`. */
  readonly tensor: Float32Array;
  /** Multiples of 32, or the model's own fixed size. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The colours, and how they came about. */
export interface HostPrediction {
  /** a* then b*, float32 [1, 2, heightPx, widthPx], about -128..127. */
  readonly ab: Float32Array;
  /** Size of `ab`: the request's, or smaller where memory ran out (then `notes` says so). */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly provider: string;
  /** The network alone. */
  readonly seconds: number;
  /** Measured at the card during the run; absent: not measured. */
  readonly joules?: number;
  /** Name of the card; absent on a CPU. */
  readonly card?: string;
  /** Its number, the same over restarts. */
  readonly cardId?: string;
  /** Mean of sqrt(a² + b²). */
  readonly meanChroma: number;
  readonly notes: readonly ResultNote[];
}

/** How the host and its child are. */
export interface HostStatus {
  /** Process id of the child, if one runs. */
  readonly pid?: number;
  /** Unexpected exits of the child since the host was made. */
  readonly restarts: number;
  /** The child ended too often in a row; requests are refused for a while. */
  readonly pausing: boolean;
  readonly loadedModel?: string;
  readonly provider?: string;
  /** Resident memory of the child, bytes. Read from /proc where there is one. */
  readonly rssBytes?: number;
  /** Highest resident memory of this child so far, bytes. */
  readonly peakRssBytes?: number;
  /** Requests waiting, the running one not counted. */
  readonly queued: number;
  readonly running: boolean;
}

/** What happens to the child; for logs, metrics and a photo's timeline. */
export type HostEvent =
  | { readonly name: 'started'; readonly pid: number }
  | { readonly name: 'loading'; readonly pid: number; readonly provider: string }
  | { readonly name: 'loaded'; readonly modelId: string; readonly provider: string }
  | ({ readonly name: 'exited' } & ChildExit)
  | ({ readonly name: 'providerFallback' } & ProviderFault)
  | { readonly name: 'outOfMemory'; readonly provider: string; readonly sizePx: number }
  | { readonly name: 'cardStopped'; readonly card: string; readonly temperatureC?: number }
  | { readonly name: 'timedOut'; readonly pid: number }
  | { readonly name: 'idleUnload' };

/**
 * Runs colour networks in a supervised child process, one inference at a time. One host per device.
 */
export interface InferenceHost {
  /**
   * Predict chroma. Requests are served in order. A crash of the child is retried once; out of
   * memory steps the size down and then moves to the CPU, said in `notes`.
   * A card that gets too hot is left at once; see CardGate for what happens then.
   * @throws {ModelUnfit | InferenceFailed | InferenceOutOfMemory | CardPaused | Cancelled}
   */
  predict(request: PredictRequest, context?: RunContext): Promise<HostPrediction>;
  /** Load a model and prove it with a small inference, once per file. @throws as predict */
  describe(modelFile: string, modelId: string): Promise<ModelContract>;
  status(): HostStatus;
  /** A card is wanted, and the processor is what works. */
  fellBack(): boolean;
  /** False while its card rests and the processor may not help. */
  mayTakeWork(): boolean;
  /** Serve what is queued, then end the child. Bounded by `closeTimeoutMs`. Repeatable. */
  close(): Promise<void>;
}

/** Where and within what limits the network runs. */
export interface HostConfig {
  /** Execution providers in order of preference; `cpu` is appended when missing. */
  readonly providers: readonly string[];
  /** Threads of the CPU provider. Absent or 0: the physical cores this process may use. */
  readonly threads?: number;
  /** Index of the card. Default 0. */
  readonly deviceId?: number;
  /** Environment of the child; absent: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** End the child after this long without work, ms; 0: never. */
  readonly idleUnloadMs: number;
  /** One inference, loading not included, ms. */
  readonly runTimeoutMs: number;
  /** Start of the child, or load of a model, ms. Default 60,000. */
  readonly startTimeoutMs?: number;
  /** Unexpected exits in a row before requests are refused for a while. Default 5. */
  readonly maxRestarts?: number;
  /** First pause after an unexpected exit, ms; doubles up to 30 s. Default 200. */
  readonly restartBackoffMs?: number;
  /** Requests waiting at most. Default 256. */
  readonly maxQueued?: number;
  /** An abandoned (cancelled) run may go on this long before the child is ended, ms. */
  readonly cancelGraceMs?: number;
  /** Longest `close()`, ms. Default 10,000. */
  readonly closeTimeoutMs?: number;
  /** After out of memory, bigger inputs go straight to the smaller size for this long, ms. */
  readonly memoryCautionMs?: number;
}

/** Who is told, and who guards the card. */
export interface HostDeps {
  readonly onEvent?: (event: HostEvent) => void;
  /** Guards the card; absent: nobody does. */
  readonly card?: CardGate;
}
