import { type BookLine, type Reconciliation, reconcile } from '../../payments/reconciliation.js';
import {
  type BillLine,
  type GatewayId,
  type PaymentGateway,
  paymentMethods,
} from '../../studio/ports/gateway.js';
import type { Tables } from '../../studio/ports/store.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Both sides stamp their own time: lines this near to midnight may be the neighbouring day's. */
const edgeMs = 3 * hourMs;

/** What of the books is read. */
export type Books = Pick<Tables, 'charges' | 'refunds' | 'reports'>;

/** When a provider's day begins: Telegram counts UTC days, the others China's. */
export function startOfBillDay(gateway: GatewayId, date: string): number {
  return Date.parse(`${date}T00:00:00${paymentMethods[gateway].billZone}`);
}

/** The provider's date at a moment, YYYY-MM-DD. */
export function billDateAt(gateway: GatewayId, atMs: number): string {
  const utcDate = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const offsetMs = Date.parse('1970-01-01T00:00:00Z') - startOfBillDay(gateway, '1970-01-01');
  return utcDate(atMs + offsetMs);
}

/**
 * Download a day's bill and compare it with our books, both ways.
 * @param date YYYY-MM-DD in the provider's zone.
 * @throws {BillNotReady} {GatewayUnknown} {GatewayRefused}
 */
export async function reconcileDay(
  books: Books,
  gateway: PaymentGateway,
  date: string,
): Promise<Reconciliation> {
  const fromMs = startOfBillDay(gateway.id, date);
  const inDay = ({ atMs }: BookLine) => atMs >= fromMs && atMs < fromMs + dayMs;
  const bill = await gateway.downloadBill(date);
  const near = await books.reports.movements(gateway.id, fromMs - edgeMs, fromMs + dayMs + edgeMs);
  const known = new Set(near.map(nameOf));
  const far: BookLine[] = [];
  for (const line of bill)
    if (!known.has(nameOf(line))) far.push(...(await lookUp(books, gateway.id, line)));
  const ours = [...near, ...far];
  const first = reconcile(gateway.id, date, bill, ours, inDay);
  if (!first.differences.some(({ kind }) => kind === 'missingThere')) return first;
  // Booked just after midnight, moved just before it: then the day before has it.
  const before = await gateway.downloadBill(billDateAt(gateway.id, fromMs - 1)).catch(() => []);
  const there = new Set(before.map(nameOf));
  return reconcile(gateway.id, date, bill, ours, (line) => inDay(line) && !there.has(nameOf(line)));
}

/** A line booked on quite another day: a poll that came late, a refund that took long. */
async function lookUp(
  { charges, refunds: refundRows }: Books,
  gateway: GatewayId,
  line: BillLine,
): Promise<readonly BookLine[]> {
  const charge = await charges.find(line.outTradeNo);
  if (charge?.gateway !== gateway || charge.state !== 'paid') return [];
  const { id: outTradeNo, currency } = charge;
  // Outside every day: it matches the provider's line and is not missed anywhere else.
  const base = { outTradeNo, currency, atMs: Number.NEGATIVE_INFINITY };
  if (line.kind === 'charge') return [{ ...base, kind: 'charge', amountMinor: charge.amountMinor }];
  const refunds = await refundRows.ofOrder(charge.orderId);
  return refunds
    .filter(({ id, state }) => state === 'succeeded' && [id, undefined].includes(line.outRefundNo))
    .map(({ id: outRefundNo, amountMinor }) => ({
      ...{ ...base, kind: 'refund', outRefundNo, amountMinor },
    }));
}

function nameOf({ kind, outTradeNo, outRefundNo, currency }: BillLine | BookLine): string {
  return `${kind}:${outTradeNo}:${currency === 'XTR' ? '' : (outRefundNo ?? '')}`;
}
