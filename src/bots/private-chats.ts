import { CustomerUnreachable } from '../studio/errors/index.js';
import type { Messages } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Customer } from '../studio/ports/studio.js';
import type { Reply } from './conversation/reply.js';
import type { Door } from './door.js';
import type { Sender } from './sender.js';

/** Where a customer of a group is talked to alone. */
const privateChatState = 'privateChat';

/** Customers' own chats, for what came out of a group. */
export interface PrivateChats {
  /** A person spoke in a group: what is nobody else's business goes to this chat. */
  remember(customerId: string, privateChatId: string): Promise<void>;
  /**
   * Say something that others need not see. Whoever never opened a chat with the bot cannot be
   * written to: they are asked in the group to do so, where the channel knows how.
   * @throws {ChannelAway | CustomerUnreachable}
   */
  say(chatId: string, customer: Customer, replies: readonly Reply[]): Promise<void>;
  /**
   * Say what could not be said in a closed room, and why it comes here. What passes is left out.
   * @throws {ChannelAway | CustomerUnreachable}
   */
  sayInstead(customer: Customer, reply: Reply): Promise<void>;
}

/** Finds them by the channel's rules, else by what was remembered. */
export function createPrivateChats(
  { sender, chatLog, messages }: { sender: Sender; chatLog: ChatLog; messages: Messages },
  { id: channel, groups }: Pick<Door, 'id' | 'groups'>,
): PrivateChats {
  const known = (customerId: string) =>
    chatLog.state<{ chatId: string }>(channel, customerId, privateChatState);

  async function aloneOf(chatId: string, customerId: string): Promise<string> {
    const alone = groups?.aloneOf?.(chatId) ?? (await known(customerId))?.chatId;
    if (alone === undefined) throw new CustomerUnreachable(channel);
    return alone;
  }

  return {
    async remember(customerId, chatId) {
      if (groups?.aloneOf || (await known(customerId))?.chatId === chatId) return;
      await chatLog.setState(channel, customerId, privateChatState, { chatId });
    },
    async sayInstead(customer, reply) {
      if (reply.passing) return;
      const alone = (await known(customer.id))?.chatId;
      if (alone === undefined) throw new CustomerUnreachable(channel);
      const { language } = customer;
      const text = messages.text('bots.roomClosed', language);
      await sender.say(alone, { key: `closed:${reply.key}`, text, once: true }, language);
      await sender.say(alone, reply, language);
    },
    async say(chatId, customer, replies) {
      const isGroup = groups?.isGroup(chatId) === true;
      const alone = isGroup ? await aloneOf(chatId, customer.id) : chatId;
      try {
        for (const reply of replies) await sender.say(alone, reply, customer.language);
      } catch (error) {
        if (!isGroup || !(error instanceof CustomerUnreachable)) throw error;
        const invitation = groups?.invitation?.(customer, replies[0]?.key ?? '');
        if (!invitation) throw error;
        await sender.say(chatId, invitation, customer.language);
      }
    },
  };
}
