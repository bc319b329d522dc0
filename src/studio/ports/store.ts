import type { NewJob } from '../jobs.js';
import type { LabelWaiverRecord } from '../label-waiver.js';
import type {
  AccountRecord,
  ChargeRecord,
  CustomerRecord,
  HoldRecord,
  IdentityRecord,
  LookRecord,
  NotificationRecord,
  OrderRecord,
  PhotoRecord,
  QuarantineRecord,
  QuestionRecord,
  RefundRecord,
  TimelineRecord,
  TransferRecord,
  WishRecord,
} from '../records.js';
import type { ChannelId } from './basics.js';
import type { ExpiredPage, ExpiringKind, ExpiryCursor } from './expiry.js';
import type { GatewayId } from './gateway.js';
import type { OperatorLogRecord } from './operator.js';
import type { ReportTable } from './reports.js';

/**
 * The database: the truth about everything. Contract: tests/contracts/store.ts, on SQLite and
 * PostgreSQL.
 */
export interface Store {
  /**
   * All or nothing, durable when it resolves. `work` runs again after a deadlock, so it must do
   * nothing but talk to `tables`: no gateway, no file, no queue.
   * @throws {DatabaseAway}
   */
  transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T>;
  /** For reading outside a transaction: sees the last commit. Never write here. */
  readonly read: Tables;
  /** Called after a commit of this process that left new jobs in the outbox. @returns unsubscribe. */
  onOutbox(listener: () => void): () => void;
  /** @throws {DatabaseAway} */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Tables {
  readonly customers: CustomerTable;
  readonly codes: CodeTable;
  readonly photos: PhotoTable;
  readonly looks: LookTable;
  readonly timeline: TimelineTable;
  readonly orders: OrderTable;
  readonly charges: ChargeTable;
  readonly refunds: RefundTable;
  readonly holds: HoldTable;
  readonly ledger: LedgerTable;
  readonly inbox: InboxTable;
  readonly outbox: OutboxTable;
  readonly settings: SettingTable;
  readonly operatorLog: OperatorLogTable;
  readonly questions: QuestionTable;
  readonly labelWaivers: LabelWaiverTable;
  readonly reports: ReportTable;
}

/** `lock` reads a row that nobody else can change before this transaction ends. */
interface Rows<R extends { readonly id: string }> {
  insert(row: R): Promise<void>;
  find(id: string): Promise<R | undefined>;
  lock(id: string): Promise<R | undefined>;
  update(id: string, changes: Partial<Omit<R, 'id'>>): Promise<void>;
}

export interface CustomerTable extends Rows<CustomerRecord> {
  byIdentity(channel: ChannelId, userId: string): Promise<CustomerRecord | undefined>;
  byCode(code: string): Promise<CustomerRecord | undefined>;
  /** `exists`: somebody else was first; read again. */
  addIdentity(identity: IdentityRecord): Promise<'added' | 'exists'>;
  touchIdentity(channel: ChannelId, userId: string, chatId: string, seenMs: number): Promise<void>;
  /** Newest first. */
  identities(customerId: string): Promise<IdentityRecord[]>;
  dropIdentities(customerId: string): Promise<void>;
  /** Identities, photos, orders, holds, wishes and questions of one customer become the other's. */
  move(fromId: string, toId: string): Promise<void>;
}

export interface CodeTable {
  addLink(hash: string, customerId: string, expiresMs: number): Promise<void>;
  /** Once, before it expires. @returns who made it. */
  takeLink(hash: string, nowMs: number): Promise<string | undefined>;
  addCredit(hash: string, batch: string, credits: number, expiresMs: number | null): Promise<void>;
  takeCredit(hash: string, customerId: string, nowMs: number): Promise<number | undefined>;
}

export interface PhotoTable extends Rows<PhotoRecord> {
  byKey(customerId: string, key: string): Promise<PhotoRecord | undefined>;
  /** Not deleted ones only. */
  byOriginal(customerId: string, originalKey: string): Promise<PhotoRecord | undefined>;
  /** Newest first, without deleted ones; `before` is an id. */
  list(customerId: string, limit: number, before?: string): Promise<PhotoRecord[]>;
  countSince(customerId: string, sinceMs: number): Promise<number>;
  /** Received, queued or restoring; of one customer or of all; up to this moment of creation. */
  countWaiting(filter: { customerId?: string; beforeMs?: number }): Promise<number>;
  /** In a waiting state and not touched since. */
  idle(beforeMs: number, limit: number): Promise<PhotoRecord[]>;
  /** Whether any photo or look refers to this blob. */
  usesBlob(key: string): Promise<boolean>;
  /** When the newest photo came that is not younger than that. @returns undefined: none did. */
  newestMs(beforeMs: number): Promise<number | undefined>;
  /**
   * Photos at rest that still keep a blob of this kind and were last touched before that, a page at a
   * time: `limit` rows are looked at, however few of them are to be had.
   */
  withExpired(
    kind: ExpiringKind,
    beforeMs: number,
    limit: number,
    after?: ExpiryCursor,
  ): Promise<ExpiredPage>;
}

export interface LookTable extends Rows<LookRecord> {
  /** By index. */
  ofPhoto(photoId: string): Promise<LookRecord[]>;
}

export interface TimelineTable {
  /** Lines that are there already stay as they are. */
  add(lines: readonly TimelineRecord[]): Promise<void>;
  ofPhoto(photoId: string): Promise<TimelineRecord[]>;
  drop(photoId: string): Promise<void>;
}

export interface OrderTable extends Rows<OrderRecord> {
  byPayToken(token: string): Promise<OrderRecord | undefined>;
  /** Newest first; of one customer or of all. */
  list(filter: { customerId?: string; limit: number }): Promise<OrderRecord[]>;
  /** Of one customer, still to be paid: created or pending. Oldest first. */
  open(customerId: string): Promise<OrderRecord[]>;
  setPhotos(orderId: string, photoIds: readonly string[]): Promise<void>;
  photosOf(orderId: string): Promise<string[]>;
  hasPaid(customerId: string): Promise<boolean>;
  wish(customerId: string, key: string): Promise<WishRecord | undefined>;
  addWish(wish: WishRecord): Promise<void>;
}

export interface ChargeTable extends Rows<ChargeRecord> {
  ofOrder(orderId: string): Promise<ChargeRecord | undefined>;
  byProvider(gateway: GatewayId, providerId: string): Promise<ChargeRecord | undefined>;
  /** To be asked about now. */
  due(nowMs: number, limit: number): Promise<ChargeRecord[]>;
}

export interface RefundTable extends Rows<RefundRecord> {
  byKey(orderId: string, key: string): Promise<RefundRecord | undefined>;
  ofOrder(orderId: string): Promise<RefundRecord[]>;
  due(nowMs: number, limit: number): Promise<RefundRecord[]>;
}

export interface HoldTable extends Rows<HoldRecord> {
  /** The held or posted one. */
  active(photoId: string): Promise<HoldRecord | undefined>;
  ofOrder(orderId: string): Promise<HoldRecord[]>;
  held(beforeMs: number, limit: number): Promise<HoldRecord[]>;
}

export interface LedgerTable {
  /** Opens it at zero unless it is there. */
  openAccount(account: Omit<AccountRecord, 'balance'>): Promise<void>;
  account(id: string): Promise<AccountRecord | undefined>;
  /** `false`: the balance would fall below zero; nothing changed. */
  add(accountId: string, delta: number): Promise<boolean>;
  /** `exists`: the key is taken, by this or another content. */
  insert(transfer: TransferRecord): Promise<'added' | 'exists'>;
  byKey(key: string): Promise<TransferRecord | undefined>;
  /** In and out of an account, newest first. */
  ofAccount(accountId: string, limit: number): Promise<TransferRecord[]>;
}

/** Verified notifications, and money we cannot place. */
export interface InboxTable {
  add(notification: NotificationRecord): Promise<'added' | 'exists'>;
  unhandled(filter: { outTradeNo?: string; limit: number }): Promise<NotificationRecord[]>;
  handled(gateway: GatewayId, key: string, atMs: number): Promise<void>;
  quarantine(finding: QuarantineRecord): Promise<'added' | 'exists'>;
  quarantined(limit: number): Promise<QuarantineRecord[]>;
  resolve(id: string, atMs: number): Promise<boolean>;
}

/** A job as the outbox keeps it: until its handler is through, not only until it is queued. */
export interface OutboxJob extends NewJob {
  readonly createdMs: number;
  /** When the relay handed it to the queue; null: not yet. */
  readonly relayedMs: number | null;
}

/**
 * Jobs that commit together with the state change that wants them. The relay adds them to the
 * queue and marks them; they stay until done, so whatever a queue loses can be added again.
 */
export interface OutboxTable {
  /** Same key again: nothing happens. */
  add(job: NewJob, nowMs: number): Promise<void>;
  /** Not relayed yet, oldest first. */
  pending(limit: number): Promise<OutboxJob[]>;
  relayed(keys: readonly string[], nowMs: number): Promise<void>;
  /** The handler is through (or gave up for good): forget it. */
  done(keys: readonly string[]): Promise<void>;
  find(key: string): Promise<OutboxJob | undefined>;
  /**
   * Of one priority: relayed before that moment, due before it, and still not done. The sweeper asks
   * the queue.
   */
  overdue(priority: number, beforeMs: number, limit: number): Promise<OutboxJob[]>;
  /** Unrelayed jobs and the age of the oldest. */
  backlog(nowMs: number): Promise<{ jobs: number; oldestMs: number }>;
}

/** What operators changed; the database refuses to change or delete a line. */
export interface OperatorLogTable {
  /** `exists`: the key is taken, and its line stays as it is. */
  add(line: OperatorLogRecord): Promise<'added' | 'exists'>;
  /** Newest first. */
  list(limit: number): Promise<OperatorLogRecord[]>;
}

/** What customers ask the operator, where there is no operator's chat. */
export interface QuestionTable {
  /** `exists`: the key is taken; the same words came twice. */
  add(question: QuestionRecord): Promise<'added' | 'exists'>;
  /** Not answered yet, oldest first. */
  waiting(limit: number): Promise<QuestionRecord[]>;
  /** Whatever this customer asked. */
  answered(customerId: string, atMs: number): Promise<void>;
}

/** Who was given files without a visible label. */
export interface LabelWaiverTable {
  add(waiver: LabelWaiverRecord): Promise<'added' | 'exists'>;
  /** Newest first. */
  ofCustomer(customerId: string): Promise<LabelWaiverRecord[]>;
  /** Forget what is older. @returns lines dropped. */
  drop(beforeMs: number): Promise<number>;
}

export interface SettingTable {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
}
