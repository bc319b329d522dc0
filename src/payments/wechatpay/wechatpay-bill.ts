import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayUnknown } from '../../studio/errors/index.js';
import type { BillLine } from '../../studio/ports/gateway.js';
import { billYuanToFen } from '../money.js';
import { fromShanghaiTime } from '../shanghai-time.js';

/** The download is not signed; the signed answer that named it gave this hash. */
export function mustMatchHash(bytes: Buffer, sha1Hex: unknown): void {
  const expected = Buffer.from(typeof sha1Hex === 'string' ? sha1Hex.toLowerCase() : '', 'utf8');
  const actual = Buffer.from(createHash('sha1').update(bytes).digest('hex'), 'utf8');
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual))
    throw new GatewayUnknown('wechatpay', 'the bill does not match its hash');
}

/**
 * Read the trade bill (bill_type ALL): CSV whose cells start with a backtick, amounts in yuan,
 * two summary lines at the end.
 * @throws {GatewayUnknown} when a line cannot be read.
 */
export function readWechatpayBill(bytes: Buffer): BillLine[] {
  const rows = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r?\n/);
  const header = (rows.shift() ?? '').split(',').map((cell) => cell.trim());
  const column = (name: string): number => {
    const index = header.indexOf(name);
    if (index < 0) throw new GatewayUnknown('wechatpay', `the bill has no column ${name}`);
    return index;
  };
  const at = {
    time: column('交易时间'),
    transaction: column('微信订单号'),
    outTradeNo: column('商户订单号'),
    state: column('交易状态'),
    refundNo: column('商户退款单号'),
    total: column('订单金额'),
    refund: column('申请退款金额'),
  };
  const lines: BillLine[] = [];
  for (const row of rows) {
    if (row.startsWith('总')) break; // the summary
    // Product names may hold commas; cells are told apart by ",`".
    if (row.startsWith('`')) lines.push(toLine(row.slice(1).split(',`'), at));
  }
  return lines;
}

function toLine(cells: string[], at: Record<string, number>): BillLine {
  const cell = (name: string) => (cells[at[name] ?? -1] ?? '').trim();
  const refund = cell('state') === 'REFUND';
  const amount = billYuanToFen(cell(refund ? 'refund' : 'total'));
  const atMs = fromShanghaiTime(cell('time'));
  if (amount === undefined || atMs === undefined || !cell('outTradeNo'))
    throw new GatewayUnknown('wechatpay', 'the bill has a line that cannot be read');
  return {
    kind: refund ? 'refund' : 'charge',
    outTradeNo: cell('outTradeNo'),
    ...(refund ? { outRefundNo: cell('refundNo') } : {}),
    providerId: cell('transaction'),
    amountMinor: amount,
    currency: 'CNY',
    atMs,
  };
}
