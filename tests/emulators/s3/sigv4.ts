import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Refusal {
  readonly status: number;
  readonly code: string;
}

const hex = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();
const skewLimitMs = 15 * 60_000;

/**
 * Check a request's AWS Signature Version 4 from the request alone, as the specification says:
 * canonical request, scope, string to sign, derived key. Written from the document, not from the
 * client library that is tested against it.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function verifySigV4(
  request: IncomingMessage,
  keys: S3Keys,
  nowMs: number,
): S3Refusal | undefined {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const match = pattern.exec(request.headers.authorization ?? '');
  if (!match) return { status: 403, code: 'AccessDenied' };
  const [, id, day, region, signedHeaders, signature] = match as unknown as string[];
  if (id !== keys.accessKeyId) return { status: 403, code: 'InvalidAccessKeyId' };
  const stamp = String(request.headers['x-amz-date'] ?? '');
  const payload = String(request.headers['x-amz-content-sha256'] ?? '');
  if (!/^\d{8}T\d{6}Z$/.test(stamp) || !stamp.startsWith(day!) || payload === '')
    return { status: 403, code: 'AccessDenied' };
  if (Math.abs(timeOf(stamp) - nowMs) > skewLimitMs)
    return { status: 403, code: 'RequestTimeTooSkewed' };
  const names = signedHeaders!.split(';');
  const mustSign = Object.keys(request.headers).filter(
    (name) => name === 'host' || name === 'content-md5' || name.startsWith('x-amz-'),
  );
  if (mustSign.some((name) => !names.includes(name))) return { status: 403, code: 'AccessDenied' };
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, hex(canonical(request, names, payload))].join(
    '\n',
  );
  const key = [day!, region!, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${keys.secretAccessKey}`,
  );
  const right = timingSafeEqual(hmac(key, text), Buffer.from(signature!, 'hex'));
  return right ? undefined : { status: 403, code: 'SignatureDoesNotMatch' };
}

function canonical(request: IncomingMessage, names: string[], payload: string): string {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const pairs = query
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort();
  const headers = names.map((name) => {
    const value = String(request.headers[name] ?? '')
      .trim()
      .replace(/ +/g, ' ');
    return `${name}:${value}\n`;
  });
  return [request.method, path, pairs.join('&'), headers.join(''), names.join(';'), payload].join(
    '\n',
  );
}

function timeOf(stamp: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)!;
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
}
