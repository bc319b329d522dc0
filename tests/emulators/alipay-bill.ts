import { crc32 } from 'node:zlib';
import { fenToYuan } from '../../src/payments/money.js';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import type { AlipayTrade } from './alipay.js';
import { encodeGbk } from './gbk.js';

const header =
  '支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注';

/** The ZIP that Alipay gives for a day: GBK, comments with #, cells padded with tabs. */
export function alipayBillZip(
  trades: readonly AlipayTrade[],
  date: string,
  edit: (lines: string[]) => string[],
): Buffer {
  const lines: string[] = [];
  for (const trade of trades) {
    if (trade.paidAtMs && toShanghaiTime(trade.paidAtMs).startsWith(date))
      lines.push(row(trade, '交易', trade.paidFen ?? trade.amountFen, trade.paidAtMs, ''));
    for (const [number, { fen, atMs }] of trade.refunds)
      if (toShanghaiTime(atMs).startsWith(date)) lines.push(row(trade, '退款', -fen, atMs, number));
  }
  const details = [
    '#支付宝业务明细查询',
    `#起始日期：[${date}]`,
    '#-----------------------------------------业务明细列表----------------------------------------',
    header,
    ...edit(lines),
    '#-----------------------------------------业务明细列表结束------------------------------------',
  ].join('\r\n');
  const summary = ['#支付宝业务汇总查询', '门店编号,门店名称,交易订单总笔数', '合计,,1'].join(
    '\r\n',
  );
  return storedZip([
    ['bill_mingxi.csv', encodeGbk(details)],
    ['bill_huizong.csv', encodeGbk(summary)],
  ]);
}

function row(trade: AlipayTrade, type: string, fen: number, atMs: number, refundNo: string) {
  const yuan = `${fen < 0 ? '-' : ''}${fenToYuan(Math.abs(fen))}`;
  const time = toShanghaiTime(atMs);
  const cells = [trade.tradeNo, trade.outTradeNo, type, trade.subject, time, time];
  const rest = ['', '', '', '', 'buyer', yuan, yuan, 0, 0, 0, 0, 0, '', 0, 0, refundNo, 0, 0, ''];
  return [...cells, ...rest].map((cell) => `${cell}\t`).join(',');
}

/** A ZIP with stored entries. */
function storedZip(entries: readonly (readonly [string, Buffer])[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of entries) {
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const made = Buffer.from([20, 0]);
    central.push(
      Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), made, fields, tail, nameBytes]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}
