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

/** Urgent work first; equal priorities are shared fairly between customers. */
export const priorities = { money: 1, paid: 2, free: 5, bulk: 8 } as const;

/** Jobs of one lane have their places in common: the database's, full-size files', cards'. */
export type Lane = 'light' | 'masters' | 'photos';

/** How a job is queued, taken and tried again. */
interface JobTraits {
  readonly lane: Lane;
  /** Unless whoever wants it knows better. */
  readonly urgency: keyof typeof priorities;
  /** `studio`: needs the database. `box`: queue and blobs are enough, so any worker takes it. */
  readonly taker: 'studio' | 'box';
  /** Which bound of the queue says how many workers may die with it. */
  readonly poison: 'maxLostWorkers' | 'maxLostWorkersPerPhoto';
  /** Waits between attempts, in units of the queue's own. */
  readonly backoff: number;
  /** What would wait for ever if it were given up in silence. */
  readonly holdsUp: 'photo' | 'hold' | 'nothing';
}

const light = { lane: 'light', taker: 'studio', poison: 'maxLostWorkers', backoff: 1 } as const;
const onBoxes = { taker: 'box', poison: 'maxLostWorkersPerPhoto', backoff: 1 } as const;

/** Every job, in the order of lists. What consumes it, how and where follows from here. */
export const jobs = {
  intake: { ...light, urgency: 'free', holdsUp: 'photo' },
  restore: { ...onBoxes, lane: 'photos', urgency: 'free', holdsUp: 'photo' },
  deliver: { ...light, urgency: 'free', holdsUp: 'nothing' },
  unlock: { ...light, lane: 'masters', urgency: 'paid', holdsUp: 'hold' },
  checkout: { ...light, urgency: 'money', holdsUp: 'nothing' },
  settle: { ...light, urgency: 'money', holdsUp: 'nothing' },
  refund: { ...light, urgency: 'money', holdsUp: 'nothing' },
  notify: { ...light, urgency: 'free', holdsUp: 'nothing' },
} as const satisfies { readonly [N in keyof JobPayloads]: JobTraits };

type Jobs = typeof jobs;
/** A job's name. */
export type JobName = keyof Jobs;
/** Names of the jobs of a lane. */
export type JobsIn<L extends Lane> = {
  [N in JobName]: Jobs[N]['lane'] extends L ? N : never;
}[JobName];
/** Names of the jobs that a box without a database takes. */
export type BoxJobName = {
  [N in JobName]: Jobs[N]['taker'] extends 'box' ? N : never;
}[JobName];

/** All names. */
export const jobNames = Object.keys(jobs) as readonly JobName[];
/** What a box without a database takes. */
export const boxJobNames = jobNames.filter((name) => isForBoxes(name));

/** Names of the jobs of a lane. */
export function jobsIn<L extends Lane>(lane: L): readonly JobsIn<L>[] {
  return jobNames.filter((name): name is JobsIn<L> => jobs[name].lane === lane);
}

/** Whether a box without a database takes it: then another job tells the database of its end. */
export function isForBoxes(name: JobName): name is BoxJobName {
  return jobs[name].taker === 'box';
}

/** Whether a job is a photo to colour, with all that says. */
export function isRestore(job: NewJob): job is NewRestore {
  return jobs[job.name].lane === 'photos';
}

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
  | {
      kind: 'photo.master';
      photoId: string;
      masterKey: string;
      /** When its customer last chose a label: the same file may be wanted once more. */
      labelChosenMs?: number;
    }
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

/** A job to be queued. */
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

/** A job in a worker's hands. */
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

/** A photo to colour, to be queued. */
export type NewRestore = NewJob<'restore'>;
/** A photo to colour, in a worker's hands. */
export type RestoreJob = Job<'restore'>;

/** One handler per job name: a missing or doubled one does not compile. */
export type Handlers = { readonly [N in JobName]: (job: Job<N>) => Promise<void> };

/** A place to talk to someone: a web customer, a Telegram chat, a WeChat contact. */
export interface ChatRef {
  readonly channel: ChannelId;
  /** The channel's own id of the chat. Personal: never logged. */
  readonly chatId: string;
}
