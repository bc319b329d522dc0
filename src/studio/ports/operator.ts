import type { ChatRef, TimelineEntry } from '../jobs.js';
import type {
  ChargeRecord,
  OrderRecord,
  QuarantineRecord,
  QuestionRecord,
  RefundRecord,
} from '../records.js';
import type { ChannelId, Language } from './basics.js';
import type { Currency } from './gateway.js';
import type { JobInfo, JobQueue } from './queue.js';
import type { OrderView, PhotoView } from './studio.js';

/** The doors an operator comes in by: the command line, their own chat, the console's pages. */
export type OperatorDoor = 'cli' | 'chat' | 'console';

/** Who acts. */
export interface Actor {
  readonly door: OperatorDoor;
  /**
   * Login of the system; channel of the chat, and who in a group (`telegram:990001`); name of the
   * console's session. Never a secret.
   */
  readonly name: string;
}

/** What an operator changes; each is a line in the operator's log. */
export const operatorActions = [
  'refund',
  'answer',
  'intake',
  'join',
  'erase',
  'codes',
  'quarantine',
  'broadcast',
  'repair',
  'job',
] as const;
/** One of them. */
export type OperatorAction = (typeof operatorActions)[number];

/** A line of the operator's log; the database refuses to change or delete one. */
export interface OperatorLogRecord {
  /** Natural key where there is one: a call that is repeated is one line. */
  readonly key: string;
  /** ms since 1970. */
  readonly atMs: number;
  readonly door: OperatorDoor;
  /** `Actor.name`. */
  readonly actor: string;
  readonly action: OperatorAction;
  /** Id of the order, customer ... that it is about; '' for the studio as a whole. */
  readonly subject: string;
  /** Numbers and ids; nobody's words, and no secret. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Numbers since midnight in the shop's time zone. */
export interface DayNumbers {
  readonly photos: number;
  readonly ready: number;
  readonly failed: number;
  readonly waiting: number;
  readonly newCustomers: number;
  readonly paid: readonly {
    readonly currency: Currency;
    readonly orders: number;
    readonly amountMinor: number;
  }[];
  readonly quarantined: number;
  readonly paused: boolean;
}

/** A photo that does not move. */
export interface StuckPhoto {
  readonly photoId: string;
  readonly customerCode: string;
  readonly state: string;
  readonly idleMs: number;
  readonly lastError?: string;
}

/** All there is to know of an order. */
export interface OperatorOrder {
  readonly order: OrderView;
  readonly charge?: ChargeRecord;
  readonly refunds: readonly RefundRecord[];
}

/** What a customer asked, in their words. */
export interface Question extends Pick<QuestionRecord, 'subject' | 'text' | 'createdMs'> {
  readonly customerCode: string;
  readonly orderId?: string;
}

/** Money that shall go back. */
export interface OperatorRefundWish {
  /** The same key again is the same refund. */
  readonly key: string;
  /** Absent: all that is left. */
  readonly amountMinor?: number;
  readonly reason: string;
}

/** Codes to be made; `expiresMs` null: never. */
export interface CodesWanted {
  readonly credits: number;
  readonly count: number;
  readonly batch: string;
  readonly expiresMs: number | null;
}

/**
 * All that an operator can ask and do, whichever door they come in by. Every call that changes
 * something takes who does it, and is written into the operator's log in the same transaction.
 * Customers are named by id or by the code they quote.
 */
export interface Operator {
  today(): Promise<DayNumbers>;
  /** Photos that have not moved for five minutes. */
  stuck(limit: number): Promise<readonly StuckPhoto[]>;
  /** @throws {NotFound} */
  photo(photoId: string): Promise<{ view: PhotoView; timeline: readonly TimelineEntry[] }>;
  /** Newest first. @param customer only theirs. @throws {NotFound} no such customer */
  orders(limit: number, customer?: string): Promise<readonly OrderRecord[]>;
  /** Ids: of this order, or of all of a customer, newest first. @throws {NotFound} */
  ordersNamed(idOrCustomer: string, limit: number): Promise<readonly string[]>;
  /** Ids: of this photo, or of all of a customer, newest first. @throws {NotFound} */
  photosNamed(idOrCustomer: string, limit: number): Promise<readonly string[]>;
  /** @throws {NotFound} */
  order(orderId: string): Promise<OperatorOrder>;
  /** Findings that nobody has dealt with, oldest first. */
  quarantine(limit: number): Promise<readonly QuarantineRecord[]>;
  /** What customers asked where there is no operator's chat, oldest first. */
  questions(limit: number): Promise<readonly Question[]>;
  intakePaused(): Promise<boolean>;
  /** Private chats of customers who were seen since. */
  chats(channel: ChannelId, sinceMs: number): Promise<readonly ChatRef[]>;
  jobs(filter: Parameters<JobQueue['list']>[0]): Promise<readonly JobInfo[]>;
  /** What operators changed, newest first. */
  log(limit: number): Promise<readonly OperatorLogRecord[]>;

  /** @throws {NotFound | NotPossibleNow | InvalidRequest} */
  refund(
    by: Actor,
    orderId: string,
    wish: OperatorRefundWish,
  ): Promise<RefundRecord & { readonly currency: Currency }>;
  /** Stop or go on taking photos in. */
  pauseIntake(by: Actor, paused: boolean): Promise<void>;
  /**
   * Tell a customer something, wherever they were seen last; their questions are answered then.
   * @throws {NotFound}
   */
  answer(by: Actor, customer: string, text: string, key: string): Promise<void>;
  /**
   * Somebody came back under a new contact: what both have becomes the older customer's.
   * @returns the customer's language. @throws {NotFound}
   */
  join(by: Actor, older: string, newer: string): Promise<Language>;
  /** Everything personal of a customer goes. @throws {NotFound} */
  erase(by: Actor, customer: string): Promise<void>;
  /** @returns the codes, this once: only hashes are kept. @throws {InvalidRequest} */
  createCodes(by: Actor, wanted: CodesWanted): Promise<string[]>;
  /** The finding was looked into and dealt with. @throws {NotFound} */
  resolveQuarantine(by: Actor, id: string): Promise<void>;
  /** Let a dead job run again, or call one off. @returns false when it is in no fitting state. */
  changeJob(by: Actor, wanted: 'retry' | 'cancel', key: string): Promise<boolean>;
  /**
   * Words to everybody are about to be sent; the caller sends them.
   * @returns `chats` of this channel, as of now.
   */
  beginBroadcast(
    by: Actor,
    channel: ChannelId,
    sinceMs: number,
    key: string,
  ): Promise<readonly ChatRef[]>;
}
