import type { ChannelId } from './ports/basics.js';
import type { Finishing, ModelFit, ResultNote } from './ports/colorizer.js';

/**
 * The six stages and their helpers as job payloads. Payloads carry ids, except `restore`: a GPU
 * worker has no database, so its job says everything it needs, and its outcome travels in
 * `deliver`.
 */
export interface JobPayloads {
  /** Fetch the bytes of a recorded photo, check them, queue `restore`. */
  intake: { photoId: string };
  /** Predict and render previews. Runs on any worker with queue and blobs. */
  restore: RestoreOrder | PlanesOrder;
  /** Record a restore's outcome and tell the customer. */
  deliver: { photoId: string; outcome: RestoreOutcome };
  /** Hold credits, render the master from the kept plane, hand it over, post the hold. */
  unlock: { photoId: string; holdId: string };
  /** Ask the gateway for a code and send it. */
  checkout: { orderId: string };
  /** Find out whether an order's charge was paid (poll, notification, expiry). */
  settle: { chargeId: string };
  /** Move money back; also follows up refunds that are still processing. */
  refund: { refundId: string };
  /** Tell a customer something; survives a channel that is away. */
  notify: { customerId: string; key: string; event: CustomerEvent };
}

export type JobName = keyof JobPayloads;
export const jobNames = [
  'intake',
  'restore',
  'deliver',
  'unlock',
  'checkout',
  'settle',
  'refund',
  'notify',
] as const satisfies readonly JobName[];

export interface RestoreOrder {
  readonly photoId: string;
  readonly originalKey: string;
  /** Looks to make in this run; each with its own model input and finishing. */
  readonly looks: readonly LookOrder[];
  /** One numbered picture of all looks, to choose from. */
  readonly sheet: boolean;
  readonly preview: { readonly longEdgePx: number; readonly watermark: string };
  readonly label: { readonly text?: string; readonly producer: string };
}

/** The same for somebody who renders himself: the colours alone, kept as the job's answer. */
export interface PlanesOrder extends Pick<RestoreOrder, 'photoId' | 'originalKey' | 'looks'> {
  readonly wants: 'planes';
}

export interface LookOrder {
  readonly lookId: string;
  readonly model: string;
  readonly sizePx?: number;
  /** Default: the model's own. */
  readonly fit?: ModelFit;
  readonly finishing: Finishing;
  /** Plane to reuse: no inference, only another finishing. */
  readonly chromaKey?: string;
}

export interface LookResult {
  readonly lookId: string;
  readonly chromaKey: string;
  readonly previewKey: string;
  readonly comparisonKey: string;
  readonly model: string;
  readonly inputWidthPx: number;
  readonly inputHeightPx: number;
  readonly provider: string;
  readonly seconds: number;
  /** Measured at the card during the inference; absent: not measured. */
  readonly joules?: number;
  /** Name of the card; absent on a CPU. */
  readonly card?: string;
  readonly cardId?: string;
  readonly notes: readonly ResultNote[];
}

export type RestoreOutcome =
  | {
      readonly ok: true;
      readonly widthPx: number;
      readonly heightPx: number;
      readonly looks: readonly LookResult[];
      readonly sheetKey?: string;
      readonly worker: string;
      readonly timeline: readonly TimelineEntry[];
    }
  | RestoreFailure;

export interface RestoreFailure {
  readonly ok: false;
  readonly code: string;
  readonly messageKey: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly worker: string;
  readonly timeline: readonly TimelineEntry[];
}

/** The answer to a PlanesOrder. */
export type PlanesOutcome =
  | { readonly ok: true; readonly planes: readonly PlaneResult[]; readonly worker: string }
  | RestoreFailure;

export type PlaneResult = Omit<LookResult, 'previewKey' | 'comparisonKey'>;

/** One line of a photo's history: "decoded 4032x3024", "model starter 256, 180 ms, cpu". */
export interface TimelineEntry {
  readonly atMs: number;
  /** `photo.decoded`, `photo.predicted`, `photo.oomRetried`, `photo.delivered`... */
  readonly event: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** What a customer is told. The channel decides how it looks; ids let it fetch the rest. */
export type CustomerEvent =
  | { kind: 'photo.accepted'; photoId: string; position: number; etaSeconds: number }
  | { kind: 'photo.progress'; photoId: string; share: number }
  | { kind: 'photo.preview'; photoId: string; lookId: string }
  | { kind: 'photo.looks'; photoId: string; lookIds: readonly string[]; sheetKey: string }
  | {
      kind: 'photo.failed';
      photoId: string;
      messageKey: string;
      params: Readonly<Record<string, string | number>>;
    }
  | { kind: 'photo.master'; photoId: string; masterKey: string }
  | { kind: 'order.offer'; orderId: string }
  | { kind: 'order.paid'; orderId: string }
  | { kind: 'order.closed'; orderId: string }
  | {
      kind: 'order.credited';
      orderId: string;
      credits: number;
      reason: 'topup' | 'late' | 'failed';
    }
  | { kind: 'order.refunded'; orderId: string; amountMinor: number; currency: string }
  | { kind: 'support.answer'; text: string };

/** Urgent work first; equal priorities are shared fairly between customers. */
export const priorities = { money: 1, paid: 2, free: 5, bulk: 8 } as const;

export interface NewJob<N extends JobName = JobName> {
  readonly name: N;
  /** Natural key: a second add with the same key is `exists`. */
  readonly key: string;
  readonly payload: JobPayloads[N];
  /** 1 is most urgent. */
  readonly priority: number;
  /** Fairness and order are kept per group: the customer's id. */
  readonly group: string;
  /** Not before, ms since 1970. */
  readonly notBeforeMs?: number;
}

export interface Job<N extends JobName = JobName> extends NewJob<N> {
  /** 1 for the first. */
  readonly attempt: number;
  /** Since when it could have run, ms since 1970; absent where the queue does not tell. */
  readonly readySinceMs?: number;
  readonly signal: AbortSignal;
  /** 0..1; reaches whoever watches the photo. */
  progress(share: number): void;
  /** Kept with the job when it is done, for whoever added it: plain data, small. */
  answer(value: unknown): void;
}

/** One handler per job name: a missing or doubled one does not compile. */
export type Handlers = { readonly [N in JobName]: (job: Job<N>) => Promise<void> };

/** A place to talk to someone: a web customer, a Telegram chat, a WeChat contact. */
export interface ChatRef {
  readonly channel: ChannelId;
  /** The channel's own id of the chat. Personal: never logged. */
  readonly chatId: string;
}
