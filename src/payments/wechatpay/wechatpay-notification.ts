import { NotificationRejected } from '../../studio/errors/index.js';
import type { GatewayNotification, RawNotification } from '../../studio/ports/gateway.js';
import type { WechatpayConfig } from './wechatpay-config.js';
import { isFresh, openResource, signatureHeaders, verifySignature } from './wechatpay-crypto.js';
import type { WechatpayKeys } from './wechatpay-keys.js';
import { chargeStatus, refundStatus } from './wechatpay-trade.js';

/**
 * Verify over the raw bytes, check freshness, open the sealed resource with its tag, and check
 * that it is ours.
 * @throws {NotificationRejected} with a reason free of secrets. {GatewayUnknown} when the key
 *   that signed it could not be fetched: the provider should try again.
 */
export async function openWechatpayNotification(
  raw: RawNotification,
  keys: WechatpayKeys,
  config: Pick<WechatpayConfig, 'apiV3Key' | 'mchId' | 'appId'>,
  nowMs: number,
): Promise<GatewayNotification> {
  const signed = signatureHeaders((name) => raw.headers[name]);
  if (!signed) return reject('signature headers are missing, malformed or a probe');
  if (!isFresh(signed.timestamp, nowMs)) return reject('timestamp is outside 300 s');
  const key = await keys.find(signed.serial);
  if (!key) return reject('serial is unknown');
  if (!verifySignature(key, signed, raw.body)) return reject('signature does not verify');

  const envelope = parseObject(Buffer.from(raw.body).toString('utf8'), 'body');
  const id = envelope['id'];
  if (typeof id !== 'string' || !/^[A-Za-z0-9-]{8,64}$/.test(id)) return reject('id is malformed');
  const eventType = String(envelope['event_type'] ?? '');
  const resource = openEnvelope(envelope['resource'], config.apiV3Key);
  if (resource['mchid'] !== config.mchId) return reject('mchid is not ours');

  if (eventType.startsWith('TRANSACTION.')) {
    if (resource['appid'] !== config.appId) return reject('appid is not ours');
    const charge = chargeStatus(resource);
    return charge ? { key: id, kind: 'charge', charge } : reject('transaction is malformed');
  }
  if (eventType.startsWith('REFUND.')) {
    const refund = refundStatus({ ...resource, status: resource['refund_status'] });
    const outTradeNo = resource['out_trade_no'];
    if (!refund || typeof outTradeNo !== 'string') return reject('refund is malformed');
    return { key: id, kind: 'refund', refund: { ...refund, outTradeNo } };
  }
  return { key: id, kind: 'other' };
}

function openEnvelope(resource: unknown, apiV3Key: string): Record<string, unknown> {
  const sealed = resource as Record<string, unknown> | null | undefined;
  if (sealed?.['algorithm'] !== 'AEAD_AES_256_GCM') return reject('algorithm is not AES-256-GCM');
  const { ciphertext, nonce, associated_data: associatedData = '' } = sealed;
  if (
    typeof ciphertext !== 'string' ||
    typeof nonce !== 'string' ||
    typeof associatedData !== 'string'
  )
    return reject('resource is malformed');
  let text: string;
  try {
    text = openResource(apiV3Key, { ciphertext, nonce, associatedData });
  } catch {
    return reject('resource does not open');
  }
  return parseObject(text, 'resource');
}

function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return reject(`${what} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return reject(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function reject(reason: string): never {
  throw new NotificationRejected('wechatpay', reason);
}
