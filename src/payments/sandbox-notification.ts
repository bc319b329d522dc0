import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { NotificationRejected } from '../studio/errors/money.js';
import type { Clock } from '../studio/ports/basics.js';
import type {
  ChargeStatus,
  GatewayNotification,
  RawNotification,
} from '../studio/ports/gateway.js';

const freshMs = 300_000;
const signatureHeader = 'x-sandbox-signature';
const timeHeader = 'x-sandbox-timestamp';

/** The sandbox's "it was paid", signed so that nobody else can say it. */
export function signSandboxNotification(
  charge: ChargeStatus,
  key: string,
  clock: Clock,
): RawNotification {
  const body = Buffer.from(JSON.stringify(charge));
  const time = String(clock.now());
  const headers = { [timeHeader]: time, [signatureHeader]: sign(time, body, key).toString('hex') };
  return { headers, body };
}

/** @throws {NotificationRejected} when it is not ours, not intact or older than five minutes. */
export function openSandboxNotification(
  raw: RawNotification,
  key: string,
  clock: Clock,
): GatewayNotification {
  const time = String(raw.headers[timeHeader] ?? '');
  const given = Buffer.from(String(raw.headers[signatureHeader] ?? ''), 'hex');
  const wanted = sign(time, raw.body, key);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new NotificationRejected('sandbox', 'signature');
  }
  if (!(Math.abs(clock.now() - Number(time)) <= freshMs)) {
    throw new NotificationRejected('sandbox', 'too old');
  }
  const charge = JSON.parse(Buffer.from(raw.body).toString('utf8')) as ChargeStatus;
  // The state, not the sending, is the event: the same payment told twice is the same notification.
  const content = `${charge.outTradeNo} ${charge.state} ${charge.providerId}`;
  const id = createHash('sha256').update(content).digest('hex');
  return { key: id, kind: 'charge', charge };
}

function sign(time: string, body: Uint8Array, key: string): Buffer {
  return createHmac('sha256', key).update(`${time}\n`).update(body).digest();
}
