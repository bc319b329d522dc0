import { CustomerUnreachable } from '../../studio/errors/index.js';
import type { Messages } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Customer } from '../../studio/ports/studio.js';
import type { Reply } from '../conversation/reply.js';
import type { TelegramSender } from './telegram-sender.js';

/** Where a customer of a group is talked to alone. */
const privateChatState = 'privateChat';

export interface TelegramAlone {
  /** A person spoke in a group: what is nobody else's business goes to this chat. */
  remember(customerId: string, privateChatId: string): Promise<void>;
  /**
   * Say something that others need not see. Whoever never opened a chat with the bot cannot be
   * written to: they are asked in the group to do so.
   * @throws {ChannelAway | CustomerUnreachable}
   */
  say(chatId: string, customer: Customer, replies: readonly Reply[]): Promise<void>;
}

/** A customer's own chat, for what came out of a group. */
export function createTelegramAlone(deps: {
  sender: TelegramSender;
  chatLog: ChatLog;
  messages: Messages;
  botName: () => string;
}): TelegramAlone {
  const { sender, chatLog } = deps;
  const known = (customerId: string) =>
    chatLog.state<{ chatId: string }>('telegram', customerId, privateChatState);

  function invitation(customer: Customer, key: string): Reply {
    const { language } = customer;
    const url = `https://t.me/${deps.botName()}?start=hd`;
    const label = deps.messages.text('bots.button.openChat', language);
    const text = deps.messages.text('bots.openChat', language);
    return { key: `open:${key}`, text, choices: [[{ label, url }]] };
  }

  return {
    async remember(customerId, chatId) {
      if ((await known(customerId))?.chatId === chatId) return;
      await chatLog.setState('telegram', customerId, privateChatState, { chatId });
    },
    async say(chatId, customer, replies) {
      const isGroup = chatId.startsWith('-');
      const alone = isGroup ? (await known(customer.id))?.chatId : chatId;
      if (alone === undefined) throw new CustomerUnreachable('telegram');
      try {
        for (const reply of replies) await sender.say(alone, reply);
      } catch (error) {
        if (!isGroup || !(error instanceof CustomerUnreachable)) throw error;
        await sender.say(chatId, invitation(customer, replies[0]?.key ?? ''));
      }
    },
  };
}
