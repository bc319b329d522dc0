import { AlipaySdk } from 'alipay-sdk';
import { GatewayRefused, GatewayUnknown } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import { toShanghaiTime } from '../shanghai-time.js';

/** Public-key mode or certificate mode, as the merchant set it up in Alipay's console. */
export type AlipayKeys =
  | { readonly mode: 'publicKey'; readonly alipayPublicKey: string }
  | {
      readonly mode: 'certificate';
      readonly appCert: string;
      readonly rootCert: string;
      readonly alipayCert: string;
    };

/** The merchant's contract with Alipay. */
export interface AlipayConfig {
  readonly appId: string;
  /** The merchant's user id (2088...); compared with every notification's seller_id. */
  readonly sellerId: string;
  /** Application private key, PEM or bare base64; PKCS#1 and PKCS#8 are told apart. */
  readonly privateKey: string;
  readonly keys: AlipayKeys;
  /** Default https://openapi.alipay.com/gateway.do */
  readonly gatewayUrl?: string;
  /** `https://.../notify/alipay`; absent without a public address. */
  readonly notifyUrl?: string;
  readonly timeoutMs: number;
}

/** Inner object of a response, keys in snake case as Alipay documents them. */
export type AlipayAnswer = Readonly<Record<string, unknown>> & {
  readonly code: string;
  readonly sub_code?: string;
};

/** Sub codes after which nobody knows whether the call took effect. */
const unknownSubCodes = new Set([
  'ACQ.SYSTEM_ERROR',
  'SYSTEM_ERROR',
  'aop.ACQ.SYSTEM_ERROR',
  'isp.unknow-error',
  'aop.unknow-error',
]);

/** Alipay's gateway with its signatures checked. */
export interface AlipayClient {
  readonly sdk: AlipaySdk;
  /**
   * Call the gateway and verify its signature.
   * @returns the answer of code 10000, or of 40004 with one of `expectedSubCodes`.
   * @throws {GatewayUnknown} no trustworthy answer; {GatewayRefused} a signed, final no.
   */
  call(
    method: string,
    bizContent: Record<string, unknown>,
    options?: { notifyUrl?: string; expectedSubCodes?: readonly string[] },
  ): Promise<AlipayAnswer>;
}

/** A client of the official SDK, RSA2, with our deadlines. */
export function createAlipayClient(deps: { clock: Clock }, config: AlipayConfig): AlipayClient {
  const sdk = new AlipaySdk({
    appId: config.appId,
    privateKey: config.privateKey,
    keyType: isPkcs8(config.privateKey) ? 'PKCS8' : 'PKCS1',
    signType: 'RSA2',
    camelcase: false,
    timeout: config.timeoutMs,
    ...(config.gatewayUrl ? { gateway: config.gatewayUrl } : {}),
    ...(config.keys.mode === 'publicKey'
      ? { alipayPublicKey: config.keys.alipayPublicKey }
      : {
          appCertContent: config.keys.appCert,
          alipayRootCertContent: config.keys.rootCert,
          alipayPublicCertContent: config.keys.alipayCert,
        }),
  });
  if (!sdk.config.alipayPublicKey) throw new Error('alipay: no key to verify responses with');

  return {
    sdk,
    async call(method, bizContent, options = {}) {
      let answer: AlipayAnswer;
      try {
        answer = (await sdk.exec(
          method,
          {
            bizContent,
            // The SDK stamps local time; Alipay reads China time whatever the box's zone is.
            timestamp: toShanghaiTime(deps.clock.now()),
            ...(options.notifyUrl ? { notifyUrl: options.notifyUrl } : {}),
          },
          { validateSign: true },
        )) as unknown as AlipayAnswer;
      } catch (error) {
        // The SDK's errors carry raw responses: keep the kind, drop the rest.
        throw new GatewayUnknown('alipay', `${method}: ${kindOf(error)}`);
      }
      return judge(method, answer, options.expectedSubCodes ?? []);
    },
  };
}

function judge(method: string, answer: AlipayAnswer, expected: readonly string[]): AlipayAnswer {
  const subCode = String(answer.sub_code ?? '');
  if (answer.code === '10000' || (answer.code === '40004' && expected.includes(subCode)))
    return answer;
  // 10003 waits for the buyer, 20000 is "unknown" by name, 40004 is a business no.
  if (answer.code !== '40004' && answer.code !== '40002' && answer.code !== '40006')
    throw new GatewayUnknown('alipay', `${method}: code ${answer.code}`);
  if (unknownSubCodes.has(subCode)) throw new GatewayUnknown('alipay', `${method}: ${subCode}`);
  throw new GatewayRefused('alipay', subCode || String(answer.code), method);
}

function isPkcs8(key: string): boolean {
  if (key.includes('BEGIN RSA PRIVATE KEY')) return false;
  if (key.includes('BEGIN PRIVATE KEY')) return true;
  // Bare base64: PKCS#8 starts with SEQUENCE, version 0, then the algorithm's SEQUENCE.
  const der = Buffer.from(key.replace(/\s+/g, ''), 'base64');
  const versionAt = (der[1] ?? 0) > 0x80 ? 2 + ((der[1] ?? 0) & 0x7f) : 2;
  return der[versionAt + 3] === 0x30;
}

function kindOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  if (/验签/.test(text)) return 'signature does not verify';
  const status = /status: (\d{3})/.exec(text)?.[1];
  if (status) return `HTTP ${status}`;
  if (/格式错误|找不到/.test(text)) return 'malformed response';
  const cause =
    error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? cause.code : 'no trustworthy answer';
}
