import { fenToYuan } from '../../src/payments/money.js';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import type { WechatpayTrade } from './wechatpay.js';

const header =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';

/** The CSV of bill_type ALL: cells behind backticks, amounts in yuan, a summary at the end. */
export function wechatpayBillCsv(
  trades: readonly WechatpayTrade[],
  date: string,
  merchant: { appId: string; mchId: string },
  edit: (lines: string[]) => string[],
): string {
  const lines: string[] = [];
  const onDay = (atMs: number) => toShanghaiTime(atMs).startsWith(date);
  for (const trade of trades) {
    const common = (atMs: number, state: string) => [
      toShanghaiTime(atMs),
      merchant.appId,
      merchant.mchId,
      0,
      '',
      trade.transactionId,
      trade.outTradeNo,
      'oEmulatedPayer',
      'NATIVE',
      state,
      'OTHERS',
      'CNY',
    ];
    const total = fenToYuan(trade.paidFen ?? trade.amountFen);
    const tail = [`${trade.description}, one piece`, '', '0.00000', '0.60%'];
    const paid = row([
      ...common(trade.paidAtMs!, 'SUCCESS'),
      ...[total, '0.00', '0', '0', '0.00', '0.00', '', ''],
      ...tail,
      ...[total, '0.00', ''],
    ]);
    if (onDay(trade.paidAtMs!)) lines.push(paid);
    for (const refund of trade.refunds.values()) {
      if (!onDay(refund.atMs)) continue;
      const back = fenToYuan(refund.fen);
      lines.push(
        row([
          ...common(refund.atMs, 'REFUND'),
          ...['0.00', '0.00', `50${refund.outRefundNo}`, refund.outRefundNo],
          ...[back, '0.00', 'ORIGINAL', refund.status],
          ...tail,
          ...['0.00', back, ''],
        ]),
      );
    }
  }
  const edited = edit(lines);
  const summary = ['总交易单数,应结订单总金额,退款总金额', `\`${edited.length},\`0.00,\`0.00`];
  return `\ufeff${[header, ...edited, ...summary].join('\r\n')}\r\n`;
}

function row(cells: readonly unknown[]): string {
  return cells.map((cell) => `\`${cell}`).join(',');
}
