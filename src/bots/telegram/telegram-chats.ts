import type { Message } from './telegram-message.js';
import type { TelegramMoves } from './telegram-moves.js';

/** General has no number in messages, and takes none. */
const generalTopic = 1;

/** Groups, supergroups and channels have negative ids. */
export const isTelegramGroup = (chatId: string): boolean => chatId.startsWith('-');

/** The group that a topic is in: `-100123` of `-100123/45`. */
export const groupOf = (chatId: string): string => chatId.split('/', 1)[0] ?? chatId;

/** Where Telegram takes a message. */
interface Address {
  readonly chat_id: string;
  readonly message_thread_id?: number;
}

/**
 * Our names of chats and messages, and Telegram's. Each topic of a forum is a chat of its own,
 * `<group>/<topic>`, so that whatever is said about it, however late, is said there.
 */
export interface TelegramChats {
  idOf(message: Pick<Message, 'chat' | 'message_thread_id' | 'is_topic_message'>): string;
  /** The same for a chat as a whole. */
  wholeIdOf(chat: Message['chat']): string;
  /** A group that became a supergroup: what it still tells is past. */
  isPast(chat: Message['chat']): boolean;
  addressOf(chatId: string): Address;
  /** Our name of a message: numbers begin anew in a group that became a supergroup. */
  refOf(chat: Pick<Message['chat'], 'id'>, messageId: number): string;
  /** Telegram's number of it; undefined: it stayed behind in the group that was. */
  messageOf(chatId: string, ref: string): number | undefined;
  /** Telegram's number of a person's message, by its natural key; undefined: of another chat. */
  saidIn(chatId: string, key: string): number | undefined;
}

/** Names that stay the same for ever. */
export function createTelegramChats(
  moves: Pick<TelegramMoves, 'current' | 'original'>,
): TelegramChats {
  const wholeIdOf = (chat: Message['chat']) => moves.original(String(chat.id));
  const hasMoved = (current: string) => moves.original(current) !== current;
  return {
    wholeIdOf,
    idOf({ chat, message_thread_id: topic, is_topic_message: isTopic }) {
      const id = wholeIdOf(chat);
      const isNamed = isTopic && topic !== undefined && topic !== generalTopic;
      return isNamed && isTelegramGroup(id) ? `${id}/${topic}` : id;
    },
    isPast: (chat) => moves.current(String(chat.id)) !== String(chat.id),
    addressOf(chatId) {
      const [group = chatId, topic] = chatId.split('/');
      const chat_id = moves.current(group);
      return topic === undefined ? { chat_id } : { chat_id, message_thread_id: Number(topic) };
    },
    refOf({ id }, messageId) {
      return hasMoved(String(id)) ? `${id}:${messageId}` : String(messageId);
    },
    saidIn(chatId, key) {
      const [, chat, number] = /^tg:(-?\d+):(\d+)$/.exec(key) ?? [];
      return chat === moves.current(groupOf(chatId)) ? Number(number) : undefined;
    },
    messageOf(chatId, ref) {
      const current = moves.current(groupOf(chatId));
      const [number = '', chat] = ref.split(':').reverse();
      if (hasMoved(current) && chat !== current) return undefined;
      return Number(number);
    },
  };
}
