import { openDatabase } from '../../src/storage/database.js';
import type { ChaosClock } from './chaos-clock.js';
import type { Payer } from './payer.js';
import type { Providers } from './providers.js';

const realPatienceMs = { atLeast: 240_000, perOrder: 1_000 } as const;
/** Together with the next question go those of the minutes after it. */
const jumpMs = { from: 120_000, to: 300_000 } as const;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Everybody behaves now. Let time pass, in jumps from one thing planned to the next, until nothing
 * is left to do anywhere.
 * @returns what is still open when patience ends.
 */
export async function settleAll(world: {
  clock: ChaosClock;
  database: { file: string };
  payer: Payer;
  providers: Providers;
  orders: number;
}): Promise<string[]> {
  const { clock, payer, providers, orders } = world;
  const database = openDatabase(world.database);
  const end = Date.now() + realPatienceMs.atLeast + orders * realPatienceMs.perOrder;
  try {
    for (;;) {
      for (const [number, status] of processing(providers))
        providers.wechatpay.settleRefund(number, status);
      const { busy, nextMs, open } = await left(database.reader);
      if (busy === 0 && nextMs === undefined && payer.done) return [];
      if (Date.now() > end)
        return [`not settled: ${JSON.stringify({ busy, open, payer: payer.state })}`];
      // Nothing runs: to the next question, or to the next late payer.
      const waitMs = (nextMs ?? Number.POSITIVE_INFINITY) - clock.now();
      if (busy === 0) clock.jump(Math.max(jumpMs.from, Math.min(waitMs, jumpMs.to)));
      await pause(150);
    }
  } finally {
    await database.close();
  }
}

function* processing({ wechatpay }: Providers): Iterable<readonly [string, 'SUCCESS']> {
  for (const trade of wechatpay.trades.values())
    for (const refund of trade.refunds.values())
      if (refund.status === 'PROCESSING') yield [refund.outRefundNo, 'SUCCESS'];
}

/** Jobs that are not through, and when the shop means to ask a provider next. */
async function left(db: ReturnType<typeof openDatabase>['reader']) {
  const jobs = await db.selectFrom('outbox').select(['key']).execute();
  const unread = await db
    .selectFrom('notifications')
    .select(['key'])
    .where('handledMs', 'is', null)
    .execute();
  const charges = await db
    .selectFrom('charges')
    .select(['id', 'state', 'nextPollMs'])
    .where('nextPollMs', 'is not', null)
    .orderBy('nextPollMs')
    .execute();
  const refunds = await db
    .selectFrom('refunds')
    .select(['id', 'state', 'nextPollMs'])
    .where('nextPollMs', 'is not', null)
    .orderBy('nextPollMs')
    .execute();
  const times = [charges[0]?.nextPollMs, refunds[0]?.nextPollMs].filter(
    (ms) => typeof ms === 'number',
  );
  return {
    busy: jobs.length + unread.length,
    nextMs: times.length > 0 ? Math.min(...times) : undefined,
    open: [...jobs, ...unread, ...charges, ...refunds].slice(0, 20),
  };
}
