import type { KeyObject } from 'node:crypto';
import { GatewayUnknown } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import { isFresh, signatureHeaders, verifySignature } from './wechatpay-crypto.js';
import type { SealedCertificate, WechatpayKeys } from './wechatpay-keys.js';

const officialBase = 'https://api.mch.weixin.qq.com';
const maxBytes = 64_000_000;

/** What the SDK's methods answer when this transport is under them. */
export interface WechatpayAnswer {
  readonly status: number;
  /** Parsed JSON; the raw bytes for bill downloads; undefined for an empty body. */
  readonly data: unknown;
}

/** The shape that `createHttp` of wechatpay-node-v3 takes. */
export interface WechatpayTransport {
  get(url: string, headers: Record<string, string>): Promise<WechatpayAnswer>;
  post(url: string, params: object, headers: Record<string, string>): Promise<WechatpayAnswer>;
  upload(url: string, params: object, headers: Record<string, string>): Promise<WechatpayAnswer>;
}

/**
 * HTTP under the SDK: base URL, time-outs, verified signatures, and errors free of headers. The
 * SDK's own transport verifies nothing, never times out and resolves on network errors.
 * Every answer that reaches the SDK is verified, whatever its status; the rest is GatewayUnknown.
 */
export function createWechatpayTransport(
  deps: { clock: Clock; keys: () => WechatpayKeys },
  config: { baseUrl?: string; timeoutMs: number },
): WechatpayTransport {
  async function send(
    method: 'GET' | 'POST',
    url: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<WechatpayAnswer> {
    const path = pathOf(url);
    const keys = deps.keys();
    const { response, bytes } = await exchange(`${config.baseUrl ?? officialBase}${path}`, {
      method,
      headers: {
        ...headers,
        ...(keys.requestSerial ? { 'Wechatpay-Serial': keys.requestSerial } : {}),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(config.timeoutMs),
    });
    // Bills are not signed: the caller compares the hash that the signed tradebill answer gave.
    if (path.startsWith('/v3/billdownload/') && response.status === 200)
      return { status: 200, data: bytes };
    const signed = signatureHeaders((name) => response.headers.get(name));
    if (!signed) throw unknown(`HTTP ${response.status} without a signature`);
    if (!isFresh(signed.timestamp, deps.clock.now())) throw unknown('answer is not fresh');
    const data = parse(bytes);
    const key = path.startsWith('/v3/certificates')
      ? (keys.configured(signed.serial) ?? certificateKey(keys, data, signed.serial))
      : await keys.find(signed.serial);
    if (!key) throw unknown('answer is signed with an unknown key');
    if (!verifySignature(key, signed, bytes)) throw unknown('signature does not verify');
    return { status: response.status, data };
  }

  return {
    get: (url, headers) => send('GET', url, headers),
    // The SDK signed JSON.stringify(params): exactly that must travel.
    post: (url, params, headers) => send('POST', url, headers, JSON.stringify(params)),
    upload: () => Promise.reject(unknown('uploads are not used')),
  };
}

/** The first certificates vouch for themselves: only the holder of the APIv3 key can seal them. */
function certificateKey(keys: WechatpayKeys, data: unknown, serial: string): KeyObject | undefined {
  const list = (data as { data?: readonly SealedCertificate[] } | undefined)?.data;
  if (!Array.isArray(list)) return undefined;
  try {
    return keys.open(list).get(serial);
  } catch {
    throw unknown('certificates do not open with the APIv3 key');
  }
}

/** The SDK hard-codes its host; a bill's address comes from the provider and must be the same. */
function pathOf(url: string): string {
  const parsed = new URL(url);
  return `${parsed.pathname}${parsed.search}`;
}

async function exchange(
  url: string,
  init: RequestInit,
): Promise<{ response: Response; bytes: Buffer }> {
  try {
    const response = await fetch(url, init);
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.length;
      if (length > maxBytes) throw unknown('answer is too large');
      parts.push(part);
    }
    return { response, bytes: Buffer.concat(parts) };
  } catch (error) {
    if (error instanceof GatewayUnknown) throw error;
    const name = error instanceof Error ? error.name : '';
    throw unknown(name === 'TimeoutError' ? 'no answer in time' : 'no answer');
  }
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw unknown('answer is not JSON');
  }
}

function unknown(reason: string): GatewayUnknown {
  return new GatewayUnknown('wechatpay', reason);
}
