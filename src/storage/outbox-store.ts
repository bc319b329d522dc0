import { sql } from 'kysely';
import type { OutboxJob, OutboxTable } from '../studio/ports/store.js';
import type { Target } from './rows.js';
import type { Schema } from './schema.js';

/** As the index of migration 009 has it: when a job handed over may be asked about. */
const overdueSince = sql<number>`case when not_before_ms > relayed_ms
  then not_before_ms else relayed_ms end`;

/** @param onAdd told when a job was added, to wake the relay after the commit. */
export function outboxTable({ db }: Target, onAdd: () => void): OutboxTable {
  const all = db.selectFrom('outbox').selectAll();
  return {
    add: async (job, nowMs) => {
      const { name, key, priority, group, notBeforeMs = null } = job;
      const payload = JSON.stringify(job.payload);
      await db
        .insertInto('outbox')
        .values({
          name,
          key,
          payload,
          priority,
          group,
          notBeforeMs,
          createdMs: nowMs,
          relayedMs: null,
        })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
      onAdd();
    },
    pending: async (limit) => {
      const query = all.where('relayedMs', 'is', null).orderBy('createdMs').orderBy('key');
      return (await query.limit(limit).execute()).map(toJob);
    },
    relayed: async (keys, nowMs) => {
      if (keys.length === 0) return;
      await db.updateTable('outbox').set({ relayedMs: nowMs }).where('key', 'in', keys).execute();
    },
    done: async (keys) => {
      if (keys.length === 0) return;
      await db.deleteFrom('outbox').where('key', 'in', keys).execute();
    },
    find: async (key) => {
      const row = await all.where('key', '=', key).executeTakeFirst();
      return row && toJob(row);
    },
    overdue: (priority, beforeMs, limit) => overdue(db, priority, beforeMs, limit),
    backlog: (nowMs) => backlog(db, nowMs),
  };
}

async function overdue(db: Target['db'], priority: number, beforeMs: number, limit: number) {
  const found = await db
    .selectFrom('outbox')
    .selectAll()
    .where('relayedMs', 'is not', null)
    .where('priority', '=', priority)
    .where(overdueSince, '<', beforeMs)
    .orderBy(overdueSince)
    .limit(limit)
    .execute();
  return found.map(toJob);
}

/** What waits to be handed over, and how old its oldest is. */
async function backlog(db: Target['db'], nowMs: number) {
  const row = await db
    .selectFrom('outbox')
    .where('relayedMs', 'is', null)
    .select((one) => [one.fn.countAll<number>().as('jobs'), one.fn.min('createdMs').as('oldest')])
    .executeTakeFirstOrThrow();
  const oldest = row.oldest === null ? nowMs : Number(row.oldest);
  return { jobs: Number(row.jobs), oldestMs: Math.max(0, nowMs - oldest) };
}

function toJob({ payload, notBeforeMs, ...row }: Schema['outbox']): OutboxJob {
  const job = { ...row, payload: JSON.parse(payload) } as OutboxJob;
  return notBeforeMs === null ? job : { ...job, notBeforeMs };
}
