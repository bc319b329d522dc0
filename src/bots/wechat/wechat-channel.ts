import type { Clock } from '../../studio/ports/basics.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { Inbox } from '../inbox.js';
import type { WechatPayload } from './wechat-payload.js';
import type { WechatSpool } from './wechat-spool.js';

/**
 * Outbound side of WeChat. News are written down beside the messages that came in and told in the
 * same order: an account that is logged out for a night, or has said enough for a day, loses none.
 */
export function createWechatChannel(deps: {
  inbox: () => Pick<Inbox, 'receive'>;
  spool: WechatSpool;
  clock: Clock;
}): ChatChannel {
  return {
    id: 'wechat',
    async notify({ chatId }, { id: customerId }, event, key) {
      const payload: WechatPayload = { kind: 'news', chatId, customerId, event, key };
      const receivedMs = deps.clock.now();
      const update = { channel: 'wechat' as const, key: `news:${key}`, chatKey: chatId };
      await deps.inbox().receive({ ...update, payload, receivedMs });
    },
    fetchFile: (fileRef, file) => deps.spool.take(fileRef, file),
  };
}
