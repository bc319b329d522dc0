import type { Kysely } from 'kysely';
import { Reports } from '../../../src/queue/database-reports.js';
import { Statements } from '../../../src/queue/database-statements.js';
import type { QueueTables } from '../../../src/queue/database-tables.js';
import { defaultPolicy } from '../../../src/queue/policy.js';
import { createChatLog } from '../../../src/storage/chat-store.js';
import type { Database } from '../../../src/storage/database.js';
import { createPeriodReports } from '../../../src/storage/impact-store.js';
import { createMonitor } from '../../../src/storage/monitor-store.js';
import { everyMs, nth, openedMs } from '../../support/grown-database.js';

/** Every call of one part. */
type Calls<P> = { readonly [M in keyof P]: () => Promise<unknown> };

/** Parts of the product that have statements of their own beside the store. */
export interface Others {
  readonly queue: Calls<Statements>;
  readonly queueReports: Calls<Reports>;
  readonly chats: Calls<ReturnType<typeof createChatLog>>;
  readonly monitor: Calls<ReturnType<typeof createMonitor>>;
  readonly periods: Calls<ReturnType<typeof createPeriodReports>>;
}

/** They write: for a database that is thrown away. */
export function othersOf(database: Database, photos: number): Others {
  const nowMs = openedMs + photos * everyMs;
  return { ...queueOf(database, nowMs), ...chatsOf(database, nowMs), ...watchOf(database, nowMs) };
}

function queueOf(
  { raw, dialect }: Database,
  nowMs: number,
): Pick<Others, 'queue' | 'queueReports'> {
  const db = raw as unknown as Kysely<QueueTables>;
  const queue = new Statements(db, dialect);
  const reports = new Reports(db, defaultPolicy);
  const payload = { photoId: nth('ph', 1) };
  const job = { name: 'intake', key: 'new', priority: 5, group: nth('cu', 5), payload } as const;
  const holder = { token: 'token', worker: 'w', untilMs: nowMs };
  const waiting = `restore:${nth('ph', 4)}`;
  return {
    queue: {
      insert: () => queue.insert(job, nowMs),
      lease: () => queue.lease(['restore', 'notify', 'settle'], holder, nowMs),
      nextDueMs: () => queue.nextDueMs(['restore', 'notify', 'settle'], nowMs),
      renew: () => queue.renew(['token'], nowMs),
      saveProgress: () => queue.saveProgress('token', 0.5),
      finish: () => queue.finish('token', { state: 'done', finished_ms: nowMs }),
      leases: () => queue.leases(),
      takeOver: () => queue.takeOver({ token: 'token', untilMs: nowMs }, nowMs),
      cancel: () => queue.cancel('new', nowMs),
      retry: () => queue.retry('new', nowMs),
      clean: () => queue.clean(['done', 'dead'], openedMs + 300 * everyMs),
    },
    queueReports: {
      row: () => reports.row(waiting),
      position: () => reports.position(waiting, nowMs),
      places: () => reports.places('restore', 60, nowMs),
      list: async () => {
        await reports.list({ limit: 20 }, nowMs);
        const states = ['dead', 'waiting', 'delayed', 'active'] as const;
        await reports.list({ states, limit: 20 }, nowMs);
      },
      counts: () => reports.counts(nowMs),
      activeProgress: () => reports.activeProgress(),
    },
  };
}

function chatsOf(database: Database, nowMs: number): Pick<Others, 'chats'> {
  const chats = createChatLog(database);
  const update = { channel: 'telegram', key: 'new', chatKey: 'chat5', payload: {} } as const;
  const message = { channel: 'telegram', key: 'new', chatKey: 'chat5', ref: 'r' } as const;
  return {
    chats: {
      record: () => chats.record([{ ...update, receivedMs: nowMs }]),
      open: () => chats.open('telegram', 100),
      handled: () => chats.handled('telegram', 'new', nowMs),
      sent: () => chats.sent('telegram', 'k5'),
      recordSent: () => chats.recordSent(message, nowMs),
      byRef: () => chats.byRef('telegram', 'chat5', 'r5'),
      state: () => chats.state('telegram', 'chat5', 'choices'),
      setState: async () => {
        await chats.setState('telegram', 'chat5', 'choices', 1);
        await chats.setState('telegram', 'chat5', 'choices', undefined);
      },
      withState: () => chats.withState('telegram', 'choices', 100),
      forget: () => chats.forget(openedMs + 100 * everyMs),
    },
  };
}

function watchOf(database: Database, nowMs: number): Pick<Others, 'monitor' | 'periods'> {
  const monitor = createMonitor(database);
  const periods = createPeriodReports(database);
  return {
    monitor: {
      backlog: () => monitor.backlog(nowMs),
      photos: () => monitor.photos(),
      orders: () => monitor.orders(),
      charges: () => monitor.charges(),
      refunds: () => monitor.refunds(),
      quarantined: () => monitor.quarantined(),
    },
    periods: { period: () => periods.period(nowMs - 86_400_000, nowMs) },
  };
}
