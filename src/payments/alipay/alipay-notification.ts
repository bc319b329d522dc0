import type { AlipaySdk } from 'alipay-sdk';
import { NotificationRejected } from '../../studio/errors/index.js';
import type { ChargeStatus, GatewayNotification } from '../../studio/ports/gateway.js';
import { yuanToFen } from '../money.js';
import { fromShanghaiTime } from '../shanghai-time.js';
import { tradeState } from './alipay-trade.js';

/** Alipay repeats for about 25 hours; what is older was kept and replayed by somebody. */
const maxAgeMs = 26 * 3_600_000;
const maxSkewMs = 300_000;

/** What a notification must be about. */
export interface NotificationExpectations {
  readonly appId: string;
  readonly sellerId: string;
  readonly nowMs: number;
}

/**
 * Verify and open an asynchronous notification (form POST).
 * @param body raw bytes of the request.
 * @throws {NotificationRejected} with a reason free of secrets.
 */
export function openAlipayNotification(
  sdk: AlipaySdk,
  body: Uint8Array,
  expected: NotificationExpectations,
): GatewayNotification {
  const fields = parseForm(body);
  if (fields['sign_type'] !== 'RSA2') reject('sign_type is not RSA2');
  if (!/^[A-Za-z0-9+/]{300,900}={0,2}$/.test(fields['sign'] ?? '')) reject('sign is malformed');
  if (!verifies(sdk, fields)) reject('signature does not verify');
  if (fields['app_id'] !== expected.appId) reject('app_id is not ours');
  if (fields['seller_id'] !== expected.sellerId) reject('seller_id is not ours');
  checkAge(fields['notify_time'], expected.nowMs);
  const key = fields['notify_id'] ?? '';
  if (!/^[A-Za-z0-9_-]{8,128}$/.test(key)) reject('notify_id is malformed');
  const charge = chargeOf(fields, expected);
  if (fields['notify_type'] !== 'trade_status_sync') return { key, kind: 'other' };
  if (fields['out_biz_no'] && fields['refund_fee']) {
    return {
      key,
      kind: 'refund',
      // refund_fee is cumulative: the amount of this refund must be asked for.
      refund: {
        outRefundNo: fields['out_biz_no'],
        outTradeNo: charge.outTradeNo,
        state: 'unknown',
      },
    };
  }
  return { key, kind: 'charge', charge };
}

function chargeOf(
  fields: Readonly<Record<string, string>>,
  expected: NotificationExpectations,
): ChargeStatus {
  const outTradeNo = fields['out_trade_no'] ?? '';
  if (!/^[A-Za-z0-9_]{6,32}$/.test(outTradeNo)) reject('out_trade_no is malformed');
  const amountMinor = yuanToFen(fields['total_amount']);
  if (amountMinor === undefined) reject('total_amount is malformed');
  const providerId = fields['trade_no'] ?? '';
  if (!/^\d{16,64}$/.test(providerId)) reject('trade_no is malformed');
  return {
    outTradeNo,
    state: tradeState(fields['trade_status'], fields['gmt_payment']),
    providerId,
    amountMinor,
    currency: 'CNY',
    merchantId: expected.sellerId,
    appId: expected.appId,
    paidAtMs: fromShanghaiTime(fields['gmt_payment']),
  };
}

/** Fields of the form; a repeated field or a value that imitates `&field=` is refused. */
function parseForm(body: Uint8Array): Record<string, string> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return reject('body is not UTF-8');
  }
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    if (!/^[a-z_]{1,40}$/.test(name)) reject('a field name is malformed');
    if (name in fields) reject('a field is repeated');
    // The signed string joins `k=v` with `&`, unescaped: such a value could pose as other fields.
    if (/&[a-z_]+=/.test(value)) reject('a field imitates others');
    fields[name] = value;
  }
  return fields;
}

function verifies(sdk: AlipaySdk, fields: Record<string, string>): boolean {
  try {
    return sdk.checkNotifySignV2({ ...fields });
  } catch {
    return false;
  }
}

function checkAge(notifyTime: string | undefined, nowMs: number): void {
  const at = fromShanghaiTime(notifyTime);
  if (at === undefined) reject('notify_time is malformed');
  if (nowMs - at > maxAgeMs) reject('notification is too old');
  if (at - nowMs > maxSkewMs) reject('notification is from the future');
}

function reject(reason: string): never {
  throw new NotificationRejected('alipay', reason);
}
