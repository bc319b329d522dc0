import fc from 'fast-check';
import { type BookLine, reconcile } from '../../src/payments/reconciliation.js';
import type { BillLine } from '../../src/studio/ports/gateway.js';

const day = Date.parse('2026-11-21T00:00:00+08:00');
const isInDay = (line: BookLine) => line.atMs >= day && line.atMs < day + 86_400_000;

const charge = (outTradeNo: string, amountMinor: number, atMs = day + 1_000): BillLine => ({
  kind: 'charge',
  outTradeNo,
  providerId: `p_${outTradeNo}`,
  amountMinor,
  currency: 'CNY',
  atMs,
});
const refund = (outTradeNo: string, outRefundNo: string, amountMinor: number): BillLine => ({
  ...charge(outTradeNo, amountMinor),
  kind: 'refund',
  outRefundNo,
});
const run = (bill: BillLine[], books: BookLine[]) =>
  reconcile('alipay', '2026-11-21', bill, books, isInDay);

test('equal sides match to the fen', () => {
  const lines = [charge('a1', 990), charge('a2', 1), refund('a1', 'r1', 300)];
  expect(run(lines, lines)).toMatchObject({
    matched: 3,
    theirsMinor: 691,
    oursMinor: 691,
    differences: [],
  });
});

test('each planted difference is found and named', () => {
  const bill = [charge('same', 5), charge('theirs', 990), charge('sum', 991), charge('same', 5)];
  const books = [charge('same', 5), charge('ours', 990), charge('sum', 990)];
  expect(
    run(bill, books)
      .differences.map((d) => [d.kind, d.outTradeNo])
      .sort(),
  ).toEqual([
    ['amount', 'sum'],
    ['missingHere', 'theirs'],
    ['missingThere', 'ours'],
    ['repeated', 'same'],
  ]);
});

test('the same number in another currency is another sum', () => {
  const inStars = { ...charge('a', 990), currency: 'XTR' } as const;
  expect(run([charge('a', 990)], [inStars])).toMatchObject({
    ...{ matched: 0, differences: [{ kind: 'amount', outTradeNo: 'a' }] },
  });
});

test('a payment at midnight belongs to whichever day the provider says', () => {
  const late = charge('late', 990, day + 86_400_000 + 500);
  expect(run([charge('late', 990)], [late]).differences).toEqual([]);
  expect(run([], [late]).differences).toEqual([]);
});

test('several refunds of one trade are told apart by their numbers', () => {
  const bill = [refund('a', 'r1', 100), refund('a', 'r2', 200)];
  expect(run(bill, [refund('a', 'r1', 100)]).differences).toMatchObject([
    { kind: 'missingHere', outRefundNo: 'r2', theirsMinor: 200 },
  ]);
});

test('no differences exactly when both sides hold the same movements', () => {
  const line = fc.record({ id: fc.integer({ min: 1, max: 20 }), amount: fc.integer({ min: 1 }) });
  const side = fc.uniqueArray(line, { selector: (l) => l.id });
  fc.assert(
    fc.property(side, side, (a, b) => {
      const bill = a.map((l) => charge(`t${l.id}`, l.amount));
      const books = b.map((l) => charge(`t${l.id}`, l.amount));
      const key = (l: BillLine | BookLine) => `${l.outTradeNo}:${l.amountMinor}`;
      const same = [...bill.map(key)].sort().join() === [...books.map(key)].sort().join();
      const result = run(bill, books);
      expect(result.differences.length === 0).toBe(same);
      if (same) expect(result.theirsMinor).toBe(result.oursMinor);
    }),
  );
});
