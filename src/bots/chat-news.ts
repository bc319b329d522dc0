import type { ChatRef, CustomerEvent } from '../studio/jobs.js';
import type { Clock } from '../studio/ports/basics.js';
import type { ChatChannel } from '../studio/ports/channel.js';
import type { ChatUpdate } from '../studio/ports/chat-log.js';
import type { Customer, Studio } from '../studio/ports/studio.js';
import type { ChatTalks } from './chat-talks.js';
import type { Conversation } from './conversation/conversation.js';
import type { Door } from './door.js';
import type { Inbox } from './inbox.js';
import { personalNews } from './personal-news.js';
import type { PrivateChats } from './private-chats.js';
import type { SaidBudget } from './said-budget.js';
import type { Turns } from './turns.js';

/** Keys of a channel's own messages never begin so. */
const newsKey = 'news:';

/** News written down among a chat's messages. */
export interface WaitingNews {
  readonly kind: 'news';
  readonly chatId: string;
  readonly customerId: string;
  readonly event: CustomerEvent;
  readonly key: string;
}

/** Tells what the studio has to say. */
export interface ChatNews {
  /** @throws {ChannelAway | CustomerUnreachable} */
  tell(to: ChatRef, customer: Customer, event: CustomerEvent, key: string): Promise<void>;
  /** News that waited for the channel. @throws {ChannelAway} they go on waiting. */
  tellWaiting(news: WaitingNews): Promise<void>;
}

/** News of one chat are told one after the other: a later one knows more. */
export function createChatNews(
  deps: {
    studio: Pick<Studio, 'profile'>;
    conversation: Conversation;
    talks: ChatTalks;
    privateChats: PrivateChats;
    budget: SaidBudget;
    turns: Turns;
  },
  { id: channel }: Pick<Door, 'id'>,
): ChatNews {
  const { conversation, talks, privateChats, turns } = deps;

  function tell(to: ChatRef, customer: Customer, event: CustomerEvent, key: string): Promise<void> {
    return turns.take(to.chatId, async () => {
      const replies = await conversation.tell({ customer, chat: to }, event, key);
      if (personalNews.has(event.kind)) await privateChats.say(to.chatId, customer, replies);
      else await talks.reply({ customer, chat: to }, replies);
    });
  }

  return {
    tell,
    async tellWaiting({ chatId, customerId, event, key }) {
      await deps.budget.require(chatId);
      const customer = await deps.studio.profile(customerId);
      await talks.reachable(event.kind, () => tell({ channel, chatId }, customer, event, key));
    },
  };
}

/**
 * Tells them at once, or writes them down beside the messages that came in: so a channel that is
 * away for a night, or has said enough for a day, loses none.
 */
export function notifier(
  deps: { news: ChatNews; inbox: Pick<Inbox, 'receive'>; clock: Clock },
  { id: channel, newsWait }: Pick<Door, 'id' | 'newsWait'>,
): ChatChannel['notify'] {
  if (!newsWait) return deps.news.tell;
  return async ({ chatId }, { id: customerId }, event, key) => {
    const payload: WaitingNews = { kind: 'news', chatId, customerId, event, key };
    const receivedMs = deps.clock.now();
    const update = { channel, key: newsKey + key, chatKey: chatId };
    await deps.inbox.receive({ ...update, payload, receivedMs });
  };
}

/** Whether an update is news that waited, and no message of the channel. */
export function isNews(update: ChatUpdate): update is ChatUpdate & { payload: WaitingNews } {
  const { kind } = (update.payload ?? {}) as { kind?: unknown };
  return kind === 'news' && update.key.startsWith(newsKey);
}
