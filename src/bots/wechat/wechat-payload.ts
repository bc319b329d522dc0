import type { Heard } from '../door.js';

interface From {
  readonly chatId: string;
  readonly personId: string;
}

/** What is written down of a message before anything else happens. */
export type WechatPayload =
  | ({ readonly kind: 'text'; readonly text: string } & From)
  | ({
      readonly kind: 'photo';
      readonly fileRef: string;
      readonly bytes: number;
      /** Sent as a picture, which WeChat recompresses, and not as a file. */
      readonly compressed: boolean;
      /** What the sender called the file; pictures have no name of theirs. */
      readonly fileName?: string;
    } & From)
  /** A photo that could not be fetched: the customer is told why. */
  | ({
      readonly kind: 'photoLost';
      readonly messageKey: string;
      readonly params: Readonly<Record<string, string | number>>;
    } & From)
  /** Money as a message: a transfer or a red packet. */
  | ({ readonly kind: 'money'; readonly what: 'transfer' | 'redPacket' } & From)
  /** A friend request was accepted. */
  | ({ readonly kind: 'friend' } & From);

/** What it means. @param key natural key of the message. */
export function heardOf(what: WechatPayload, key: string): Heard {
  const who = { chatId: what.chatId, userId: what.personId };
  switch (what.kind) {
    case 'text':
      return { kind: 'said', who, text: what.text };
    case 'photo': {
      const { fileRef, bytes, compressed, fileName } = what;
      const photo = { key: `wx:${key}`, fileRef, bytes, compressed, fileName };
      return { kind: 'said', who, intent: { kind: 'photos', photos: [photo] } };
    }
    case 'photoLost':
      return { kind: 'notice', who, messageKey: what.messageKey, params: what.params };
    case 'money':
      return { kind: 'said', who, intent: { kind: 'moneySent', what: what.what } };
    case 'friend':
      return { kind: 'said', who, intent: { kind: 'start' } };
  }
}
