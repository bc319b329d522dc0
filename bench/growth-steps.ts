import type { Kysely } from 'kysely';
import { Reports } from '../src/queue/database-reports.js';
import { Statements } from '../src/queue/database-statements.js';
import type { QueueTables } from '../src/queue/database-tables.js';
import { defaultPolicy } from '../src/queue/policy.js';
import type { Database } from '../src/storage/database.js';
import { createMonitor } from '../src/storage/monitor-store.js';
import { createStore } from '../src/storage/store.js';
import { everyMs, nth, openedMs } from '../tests/support/grown-database.js';

const dayMs = 86_400_000;
const undone = new Error('undone');

/** What is measured; each step does enough to be felt. */
export type Step = keyof ReturnType<typeof stepsOf>;

/** The questions that grew with the shop once, of one filled database. */
export function stepsOf(database: Database, photos: number) {
  const store = createStore(database);
  const { read } = store;
  const db = database.raw as unknown as Kysely<QueueTables>;
  const queue = new Statements(db, database.dialect);
  const reports = new Reports(db, defaultPolicy);
  const monitor = createMonitor(database);
  const nowMs = openedMs + photos * everyMs;
  const customer = nth('cu', 5);
  return {
    'a photo with its looks and hold, 100 times': async () => {
      for (let n = 1; n <= 100; n++) {
        await read.photos.find(nth('ph', n));
        await read.looks.ofPhoto(nth('ph', n));
        await read.holds.active(nth('ph', n));
      }
    },
    'retention, nothing due': async () => {
      for (const kind of ['original', 'chroma', 'preview', 'master'] as const) {
        await read.photos.withExpired(kind, openedMs, 50);
      }
    },
    'retention, one page of each kind': async () => {
      for (const kind of ['original', 'chroma', 'preview', 'master'] as const) {
        await read.photos.withExpired(kind, nowMs, 50);
      }
    },
    'sweeper: holds, photos, notifications': async () => {
      await read.holds.held(openedMs, 200);
      await read.photos.idle(openedMs, 200);
      await read.inbox.unhandled({ outTradeNo: 'none', limit: 200 });
    },
    'overdue jobs, a page': () => read.outbox.overdue(2, nowMs, 50),
    'the operator asks for today': async () => {
      await read.reports.photosSince(nowMs - dayMs);
      await read.reports.customersSince(nowMs - dayMs);
      await read.reports.paidSince(nowMs - dayMs);
    },
    'reconciliation of a day': () =>
      read.reports.movements('alipay', openedMs + dayMs / 2, openedMs + dayMs),
    'statement of the largest account': () => read.ledger.ofAccount('house:sold', 100),
    'a customer joined into another': async () => {
      await store
        .transaction(async ({ customers }) => {
          await customers.move(customer, nth('cu', 6));
          throw undone;
        })
        .catch((error) => {
          if (error !== undone) throw error;
        });
    },
    'jobs list --state dead': () => reports.list({ states: ['dead'], limit: 10 }, nowMs),
    'next job: is there one, which': async () => {
      await queue.nextDueMs(['restore', 'notify', 'settle'], nowMs);
      const holder = { token: `t${Math.random()}`, worker: 'w', untilMs: nowMs };
      await queue.lease(['restore', 'notify', 'settle'], holder, nowMs);
      await queue.finish(holder.token, { state: 'waiting' });
    },
    '/metrics: counts of all (not kept yet)': async () => {
      await monitor.photos();
      await monitor.orders();
      await monitor.charges();
    },
  };
}
