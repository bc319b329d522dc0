import yauzl from 'yauzl';
import { GatewayUnknown } from '../../studio/errors/index.js';
import type { BillLine } from '../../studio/ports/gateway.js';
import { billYuanToFen } from '../money.js';
import { fromShanghaiTime } from '../shanghai-time.js';

/** A day's statement of a small shop is kilobytes; this stops a bomb. */
const maxCsvBytes = 64_000_000;

/**
 * Read the trade bill: a ZIP with GBK-encoded CSV files, of which the one with the details
 * (业务明细) counts; the summary (汇总) repeats it.
 * @throws {GatewayUnknown} when the file is not such a bill.
 */
export async function readAlipayBill(zip: Buffer): Promise<BillLine[]> {
  const lines: BillLine[] = [];
  for (const csv of await csvEntries(zip)) lines.push(...parseDetails(csv));
  return lines;
}

function parseDetails(csv: string): BillLine[] {
  const rows = csv
    .split(/\r?\n/)
    .filter((row) => row.trim() !== '' && !row.startsWith('#'))
    .map((row) => row.split(',').map((cell) => cell.trim()));
  const header = rows.shift() ?? [];
  const column = (name: string) => header.findIndex((cell) => cell.startsWith(name));
  const at = {
    tradeNo: column('支付宝交易号'),
    outTradeNo: column('商户订单号'),
    type: column('业务类型'),
    done: column('完成时间'),
    amount: column('订单金额'),
    refundNo: column('退款批次号'),
  };
  if (Object.values(at).some((index) => index < 0)) return [];
  return rows.filter((row) => row.length >= header.length).map((row) => toLine(row, at));
}

function toLine(row: string[], at: Record<string, number>): BillLine {
  const cell = (name: string) => row[at[name] ?? -1] ?? '';
  const amount = billYuanToFen(cell('amount'));
  const atMs = fromShanghaiTime(cell('done'));
  if (amount === undefined || atMs === undefined)
    throw new GatewayUnknown('alipay', 'the bill has a line that cannot be read');
  const refund = cell('type') === '退款';
  return {
    kind: refund ? 'refund' : 'charge',
    outTradeNo: cell('outTradeNo'),
    ...(refund ? { outRefundNo: cell('refundNo') } : {}),
    providerId: cell('tradeNo'),
    amountMinor: Math.abs(amount),
    currency: 'CNY',
    atMs,
  };
}

/** Texts of the CSV files in the archive. */
function csvEntries(zip: Buffer): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new GatewayUnknown('alipay', 'the bill is not a readable ZIP'));
    // Names are GBK too: leave them as bytes, only the content tells.
    yauzl.fromBuffer(zip, { lazyEntries: true, decodeStrings: false }, (error, file) => {
      if (error) return fail();
      const texts: string[] = [];
      let bytes = 0;
      file.on('error', fail);
      file.on('end', () => resolve(texts));
      file.on('entry', (entry) => {
        bytes += entry.uncompressedSize;
        if (bytes > maxCsvBytes) return fail();
        file.openReadStream(entry, (openError, stream) => {
          if (openError) return fail();
          const parts: Buffer[] = [];
          stream.on('data', (part: Buffer) => parts.push(part));
          stream.on('error', fail);
          stream.on('end', () => {
            texts.push(new TextDecoder('gbk').decode(Buffer.concat(parts)));
            file.readEntry();
          });
        });
      });
      file.readEntry();
    });
  });
}
