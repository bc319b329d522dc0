/** How WeChat Pay's own signatures are verified; merchants opened since 2024 have a public key. */
export type WechatpayVerifier =
  | { readonly mode: 'publicKey'; readonly publicKeyId: string; readonly publicKey: string }
  /** Platform certificates, downloaded and renewed by us with the APIv3 key. */
  | { readonly mode: 'certificate' };

/** The merchant's contract with WeChat Pay, API v3. */
export interface WechatpayConfig {
  readonly mchId: string;
  readonly appId: string;
  /** Serial number of the merchant certificate, upper-case hex. */
  readonly serial: string;
  /** apiclient_key.pem */
  readonly privateKey: string;
  /** apiclient_cert.pem */
  readonly certificate: string;
  /** 32 characters, set in the merchant console. */
  readonly apiV3Key: string;
  readonly verifier: WechatpayVerifier;
  /** Default https://api.mch.weixin.qq.com */
  readonly baseUrl?: string;
  readonly notifyUrl?: string;
  readonly timeoutMs: number;
}
