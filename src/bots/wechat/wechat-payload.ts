import type { CustomerEvent } from '../../studio/jobs.js';

interface From {
  readonly chatId: string;
  readonly personId: string;
}

/** What is written down of a message, or of news to tell, before anything else happens. */
export type WechatPayload =
  | ({ readonly kind: 'text'; readonly text: string } & From)
  | ({
      readonly kind: 'photo';
      readonly fileRef: string;
      readonly bytes: number;
      /** Sent as a picture, which WeChat recompresses, and not as a file. */
      readonly compressed: boolean;
    } & From)
  /** A photo that could not be fetched: the customer is told why. */
  | ({
      readonly kind: 'photoLost';
      readonly messageKey: string;
      readonly params: Readonly<Record<string, string | number>>;
    } & From)
  /** A friend request was accepted. */
  | ({ readonly kind: 'friend' } & From)
  | {
      readonly kind: 'news';
      readonly chatId: string;
      readonly customerId: string;
      readonly event: CustomerEvent;
      readonly key: string;
    };
