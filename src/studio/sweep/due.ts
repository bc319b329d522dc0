import type { Context } from '../context.js';
import { limits } from '../limits.js';
import { want } from '../outbox.js';

/** A claimed charge is looked at again after this long, should its job be lost, ms. */
const claimMs = 60_000;

/**
 * Queue a question for every charge and refund that is due. The database keeps the schedule, so a
 * lost queue costs at most one round; called about once a second.
 * @returns jobs queued.
 */
export async function queueDue(context: Context): Promise<number> {
  const { store, clock } = context;
  const nowMs = clock.now();
  const rows = limits.studio.sweepRows;
  const charges = await store.read.charges.due(nowMs, rows);
  const refunds = await store.read.refunds.due(nowMs, rows);
  if (charges.length + refunds.length === 0) return 0;
  return store.transaction(async (tables) => {
    let queued = 0;
    for (const { id } of charges) {
      const charge = await tables.charges.lock(id);
      // Another process may have been here since.
      if (!charge?.nextPollMs || charge.nextPollMs > nowMs) continue;
      const polls = charge.polls + 1;
      await tables.charges.update(id, { polls, nextPollMs: nowMs + claimMs });
      const job = { name: 'settle', key: `settle:${id}:${polls}`, group: id } as const;
      await want(tables, context, { ...job, payload: { chargeId: id } });
      queued += 1;
    }
    for (const { id } of refunds) {
      const refund = await tables.refunds.lock(id);
      if (!refund?.nextPollMs || refund.nextPollMs > nowMs) continue;
      const polls = refund.polls + 1;
      await tables.refunds.update(id, { polls, nextPollMs: nowMs + claimMs });
      const job = { name: 'refund', key: `refund:${id}:${polls}`, group: id } as const;
      await want(tables, context, { ...job, payload: { refundId: id } });
      queued += 1;
    }
    return queued;
  });
}
