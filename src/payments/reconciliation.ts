import type { BillLine, Currency, GatewayId } from '../studio/ports/gateway.js';

/** One movement of money as our own books have it. */
export interface BookLine {
  readonly kind: 'charge' | 'refund';
  readonly outTradeNo: string;
  readonly outRefundNo?: string;
  readonly providerId?: string;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly atMs: number;
}

/**
 * missingHere: the provider moved money that our books do not know. missingThere: our books claim
 * money that the provider's day does not show. amount: both know it, for different sums. repeated:
 * the provider lists the same movement twice.
 */
export interface Difference {
  readonly kind: 'missingHere' | 'missingThere' | 'amount' | 'repeated';
  readonly movement: 'charge' | 'refund';
  readonly outTradeNo: string;
  readonly outRefundNo?: string;
  readonly providerId?: string;
  readonly theirsMinor?: number;
  readonly oursMinor?: number;
  readonly currency: Currency;
}

/** A day of a provider's bill beside our own books; amounts in fen or Stars. */
export interface Reconciliation {
  readonly gateway: GatewayId;
  /** YYYY-MM-DD in the provider's zone. */
  readonly date: string;
  readonly matched: number;
  readonly theirsMinor: number;
  readonly oursMinor: number;
  readonly differences: readonly Difference[];
}

/**
 * Compare a provider's bill of a day with our books, both ways, to the last fen.
 * @param books our lines; may reach over the day's edges, because both sides stamp their own time:
 *   a line outside the day only serves to match theirs.
 * @param isInDay whether one of our lines must be in this bill.
 */
export function reconcile(
  gateway: GatewayId,
  date: string,
  bill: readonly BillLine[],
  books: readonly BookLine[],
  isInDay: (line: BookLine) => boolean,
): Reconciliation {
  const ours = new Map(books.map((line) => [keyOf(line), line]));
  const seen = new Set<string>();
  const differences: Difference[] = [];
  let matched = 0;
  for (const theirs of bill) {
    const key = keyOf(theirs);
    const own = ours.get(key);
    if (seen.has(key)) differences.push(difference('repeated', theirs, own));
    else if (!own) differences.push(difference('missingHere', theirs, undefined));
    else if (own.amountMinor !== theirs.amountMinor || own.currency !== theirs.currency)
      differences.push(difference('amount', theirs, own));
    else matched += 1;
    seen.add(key);
  }
  const due = books.filter(isInDay);
  for (const own of due)
    if (!seen.has(keyOf(own))) differences.push(difference('missingThere', undefined, own));
  return {
    gateway,
    date,
    matched,
    theirsMinor: net(bill),
    oursMinor: net(books.filter((line) => seen.has(keyOf(line)) || isInDay(line))),
    differences,
  };
}

/** Stars name no refund number: a refund is whole there, so the trade names it. */
function keyOf(line: BillLine | BookLine): string {
  if (line.kind === 'charge') return `charge:${line.outTradeNo}`;
  return line.currency === 'XTR'
    ? `refund:${line.outTradeNo}`
    : `refund:${line.outTradeNo}:${line.outRefundNo ?? ''}`;
}

function difference(
  kind: Difference['kind'],
  theirs: BillLine | undefined,
  own: BookLine | undefined,
): Difference {
  const line = (theirs ?? own)!;
  return {
    kind,
    movement: line.kind,
    outTradeNo: line.outTradeNo,
    outRefundNo: line.outRefundNo,
    providerId: line.providerId,
    theirsMinor: theirs?.amountMinor,
    oursMinor: own?.amountMinor,
    currency: line.currency,
  };
}

function net(lines: readonly { kind: 'charge' | 'refund'; amountMinor: number }[]): number {
  return lines.reduce(
    (sum, line) => sum + (line.kind === 'charge' ? line.amountMinor : -line.amountMinor),
    0,
  );
}
