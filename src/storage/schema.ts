import type { LabelWaiverRecord } from '../studio/label-waiver.js';
import type { OperatorLogRecord } from '../studio/ports/operator.js';
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
} from '../studio/records.js';

/** A record as its row: the named fields are JSON text. */
export type Row<R, Json extends keyof R = never> = {
  [K in keyof R]: K extends Json ? (null extends R[K] ? string | null : string) : R[K];
};

/** What erasing a customer touches of migration 004; the rest is the chat store's own. */
interface ChatRow {
  channel: string;
  chatKey: string;
  handledMs: number | null;
}

/** Tables of migrations 001, 002, 007 and 008, in camelCase. */
export interface Schema {
  chatUpdates: ChatRow;
  chatMessages: Omit<ChatRow, 'handledMs'>;
  chatStates: Omit<ChatRow, 'handledMs'>;
  customers: Row<CustomerRecord, 'finishing'>;
  identities: IdentityRecord;
  linkCodes: { hash: string; customerId: string; expiresMs: number; usedMs: number | null };
  creditCodes: {
    hash: string;
    batch: string;
    credits: number;
    expiresMs: number | null;
    usedMs: number | null;
    customerId: string | null;
  };
  photos: Row<PhotoRecord, 'chat' | 'error'>;
  looks: Row<LookRecord, 'finishing' | 'notes'>;
  timeline: Row<TimelineRecord, 'details'>;
  settings: { name: string; value: string };
  questions: QuestionRecord;
  labelWaivers: LabelWaiverRecord;
  operatorLog: Row<OperatorLogRecord, 'details'>;
  orders: Row<OrderRecord, 'chat'>;
  orderPhotos: { orderId: string; photoId: string; position: number };
  wishes: WishRecord;
  charges: Row<ChargeRecord, 'offer'>;
  refunds: RefundRecord;
  holds: HoldRecord;
  accounts: AccountRecord;
  transfers: TransferRecord;
  notifications: Row<NotificationRecord, 'status'>;
  quarantine: Row<QuarantineRecord, 'status'>;
  outbox: {
    key: string;
    name: string;
    payload: string;
    priority: number;
    group: string;
    notBeforeMs: number | null;
    createdMs: number;
    relayedMs: number | null;
  };
}
