import { StudioError } from '../../studio/errors/index.js';
import type { Clock, Logger } from '../../studio/ports/basics.js';
import { isProvider, type PaymentGateway } from '../../studio/ports/gateway.js';
import type { Metrics } from '../../studio/ports/metrics.js';
import type { Store } from '../../studio/ports/store.js';
import { billDateAt, reconcileDay, startOfBillDay } from './reconcile-day.js';

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** WeChat's bills appear at 10:00 China time, the others' earlier. */
const fromMinuteOfDay = 10 * 60 + 30;
/** After a long pause older days are left to `huancai reconcile`. */
const daysMax = 7;

export interface ReconcileDutyDeps {
  readonly store: Store;
  readonly gateways: Iterable<PaymentGateway>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Pick<Metrics, 'reconciled'>;
  /** The operator's chat, where there is one. */
  readonly tellOperator: (key: string, found: OperatorNews) => Promise<void>;
}

export interface OperatorNews {
  readonly gateway: string;
  readonly date: string;
  readonly found: number;
}

/**
 * Every morning, the day before: reads only. A day is marked as done once it was compared, so a
 * restart does not repeat it and a bill that is late is asked for again.
 */
export function createReconcileDuty(deps: ReconcileDutyDeps) {
  return {
    name: 'reconcile',
    everyMs: 10 * minuteMs,
    run: async (): Promise<number> => {
      if (minuteOfDayInChina(deps.clock.now()) < fromMinuteOfDay) return 0;
      let compared = 0;
      for (const gateway of deps.gateways)
        if (isProvider(gateway.id)) compared += await catchUp(deps, gateway);
      return compared;
    },
  };
}

async function catchUp(deps: ReconcileDutyDeps, gateway: PaymentGateway): Promise<number> {
  const { store, clock, logger } = deps;
  const setting = `reconciled:${gateway.id}`;
  const last = await store.read.settings.get(setting);
  const dates = datesAfter(gateway, last, clock.now());
  for (const [index, date] of dates.entries()) {
    try {
      await compare(deps, gateway, date);
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
      logger.warn('reconciliation.later', { gateway: gateway.id, date, code: error.code });
      return index;
    }
    await store.transaction(({ settings }) => settings.set(setting, date));
  }
  return dates.length;
}

async function compare(
  deps: ReconcileDutyDeps,
  gateway: PaymentGateway,
  date: string,
): Promise<void> {
  const { store, logger } = deps;
  const result = await reconcileDay(store.read, gateway, date);
  const { matched, theirsMinor, oursMinor, differences } = result;
  const sums = { gateway: gateway.id, date, matched, theirsMinor, oursMinor };
  logger.info('reconciliation.done', { ...sums, differences: differences.length });
  deps.metrics?.reconciled(gateway.id, differences.length);
  for (const { kind, movement, outTradeNo, outRefundNo, ...one } of differences) {
    const numbers = { outTradeNo, outRefundNo, theirs: one.theirsMinor, ours: one.oursMinor };
    logger.error('reconciliation.difference', {
      ...{ gateway: gateway.id, date, kind, movement, ...numbers },
    });
  }
  if (differences.length === 0) return;
  const news = { gateway: gateway.id, date, found: differences.length };
  await deps.tellOperator(`reconcile:${gateway.id}:${date}`, news).catch((error: unknown) => {
    logger.warn('reconciliation.operatorNotTold', { error });
  });
}

/** Days to compare: after the last one, up to yesterday; at first only yesterday. */
function datesAfter(gateway: PaymentGateway, last: string | undefined, nowMs: number): string[] {
  const yesterday = billDateAt(gateway.id, nowMs - dayMs);
  const dates: string[] = [];
  let date = yesterday;
  while (dates.length < daysMax && date > (last ?? '')) {
    dates.unshift(date);
    if (last === undefined) break;
    date = billDateAt(gateway.id, startOfBillDay(gateway.id, date) - 1);
  }
  return dates;
}

function minuteOfDayInChina(nowMs: number): number {
  return Math.floor(((nowMs + 8 * 60 * minuteMs) % dayMs) / minuteMs);
}
