import type { IncomingPhoto, Intent } from '../conversation/intent.js';
import { decodeIntent } from '../conversation/intent-codec.js';
import { parseText } from '../conversation/parse-text.js';
import type { Membership, Notice, Said, Speaker } from '../door.js';
import type { TelegramChats } from './telegram-chats.js';
import { isService, type Message, type Person, pictureOf } from './telegram-message.js';

/** What of a Bot API update we read; hostile until checked. */
export interface TelegramUpdate {
  readonly update_id: number;
  readonly message?: Message;
  readonly callback_query?: {
    readonly id: string;
    readonly from: Person;
    readonly data?: string;
    readonly message?: Message;
  };
  readonly pre_checkout_query?: {
    readonly id: string;
    readonly from: Person;
    readonly currency: string;
    readonly total_amount: number;
    readonly invoice_payload: string;
  };
  readonly my_chat_member?: {
    readonly chat: { readonly id: number; readonly type: string };
    readonly from: Person;
    readonly new_chat_member: { readonly status: string };
  };
}

/** A message, or a pressed button, which keeps spinning until its id is answered. */
export type TelegramSaid = Omit<Said, 'beside'> & { readonly callbackId?: string };

/** What an update means. */
export type Understood =
  | { readonly kind: 'said'; readonly said: TelegramSaid }
  | {
      readonly kind: 'paid';
      readonly payment: NonNullable<Message['successful_payment']>;
      readonly payerId: string;
      readonly paidAtMs: number;
    }
  | { readonly kind: 'moved'; readonly from: string; readonly to: string }
  | Membership
  | Notice
  | { readonly kind: 'nothing' };

/** Chat that an update belongs to: what is handled in order. */
export function chatOf(update: TelegramUpdate, { idOf, wholeIdOf }: TelegramChats): string {
  const { callback_query: query, my_chat_member: member } = update;
  const message = update.message ?? query?.message;
  if (message) return idOf(message);
  return member ? wholeIdOf(member.chat) : String(query?.from.id ?? 0);
}

/** In groups only what is addressed to the bot counts. */
export interface Addressed {
  readonly chats: TelegramChats;
  /** Without @. */
  readonly botName: string;
  /** In the operators' own group every command counts. */
  readonly isDesk: (chatId: string) => boolean;
  /** The message is a photo of an album that was addressed to us. */
  readonly joins: boolean;
}

/** Reads an update; pure. */
export function understand(update: TelegramUpdate, addressed: Addressed): Understood {
  const { chats } = addressed;
  if (update.callback_query) return pressed(update.callback_query, chats);
  const member = update.my_chat_member;
  if (member && chats.isPast(member.chat)) return { kind: 'nothing' };
  if (member) {
    const gone = ['kicked', 'left'].includes(member.new_chat_member.status);
    return { kind: 'membership', chatId: chats.wholeIdOf(member.chat), gone };
  }
  const { message } = update;
  return (message && (happened(message) ?? said(message, addressed))) ?? { kind: 'nothing' };
}

/** What Telegram itself tells in a chat. */
function happened(message: Message): Understood | undefined {
  const { chat, migrate_to_chat_id: to, migrate_from_chat_id: from } = message;
  if (to !== undefined) return { kind: 'moved', from: String(chat.id), to: String(to) };
  if (from !== undefined) return { kind: 'moved', from: String(from), to: String(chat.id) };
  if (message.successful_payment && message.from) {
    const payment = message.successful_payment;
    const payerId = String(message.from.id);
    return { kind: 'paid', payment, payerId, paidAtMs: message.date * 1_000 };
  }
  return isService(message) ? { kind: 'nothing' } : undefined;
}

function said(message: Message, addressed: Addressed): Understood | undefined {
  const { chats, botName } = addressed;
  const who = speakerOf(message, chats);
  if (!who) return undefined;
  const intent = intentOf(message, addressed);
  if (intent === 'unreadable') {
    const { media_group_id: once } = message;
    return {
      kind: 'notice',
      who,
      messageKey: 'bots.onlyPhotos',
      params: {},
      ...(once ? { once } : {}),
    };
  }
  if (!intent) return undefined;
  const repliesTo = message.reply_to_message?.message_id;
  const isNobody = message.sender_chat !== undefined && intent.kind === 'photos';
  return {
    kind: 'said',
    said: {
      ...{ kind: 'said', who, intent },
      ...(repliesTo === undefined ? {} : { repliesTo: chats.refOf(message.chat, repliesTo) }),
      ...(isNobody ? { also: { messageKey: 'bots.anonymous', params: { bot: botName } } } : {}),
      text: message.text ?? message.caption,
      sentMs: message.date * 1_000,
      groupId: groupIdOf(message),
    },
  };
}

function pressed(
  query: NonNullable<TelegramUpdate['callback_query']>,
  chats: TelegramChats,
): Understood {
  const intent = decodeIntent(query.data ?? '') ?? { kind: 'help' };
  const { message, from } = query;
  const chatId = message ? chats.idOf(message) : String(from.id);
  const who = { chatId, userId: String(from.id), languageCode: from.language_code };
  return { kind: 'said', said: { kind: 'said', who, intent, callbackId: query.id } };
}

/** An anonymous admin or a channel speaks as a chat: `from` is then a bot or Telegram itself. */
function speakerOf(message: Message, chats: TelegramChats): Speaker | undefined {
  const { from, sender_chat: chat } = message;
  const chatId = chats.idOf(message);
  if (chat) return { chatId, userId: String(chat.id) };
  if (!from || from.is_bot) return undefined;
  return { chatId, userId: String(from.id), languageCode: from.language_code };
}

function intentOf(message: Message, addressed: Addressed): Intent | 'unreadable' | undefined {
  const words = message.text ?? message.caption ?? '';
  const mention = new RegExp(`@${addressed.botName}\\b`, 'i');
  if (isGroup(message) && !isToUs(message, words, mention, addressed)) return undefined;
  const caption = words.replace(mention, ' ').trim();
  const photo = photoOf(message, caption) ?? photoRepliedTo(message, words, caption, addressed);
  const key = `tg:${message.chat.id}:${message.message_id}`;
  if (photo) return { kind: 'photos', photos: [{ ...photo, key }] };
  if (message.text === undefined) return 'unreadable';
  // "/help@huancai_bot" stays whole: parseText knows it.
  return parseText(words.startsWith('/') ? words : words.replace(mention, ' '));
}

/** "@bot" in reply to somebody's photo means that photo; a command, or a reply to us, does not. */
function photoRepliedTo(
  message: Message,
  words: string,
  caption: string,
  addressed: Addressed,
): Omit<IncomingPhoto, 'key'> | undefined {
  const { reply_to_message: reply = message.external_reply } = message;
  if (!reply || !isGroup(message) || words.startsWith('/')) return undefined;
  return isOurs(message, addressed) ? undefined : photoOf(reply, caption);
}

function isOurs({ reply_to_message: reply }: Message, { botName }: Addressed): boolean {
  return reply?.from?.username?.toLowerCase() === botName.toLowerCase();
}

function isToUs(message: Message, words: string, mention: RegExp, addressed: Addressed): boolean {
  const { chats, isDesk, joins } = addressed;
  const isOrder =
    words.startsWith('/') && [chats.idOf(message), chats.wholeIdOf(message.chat)].some(isDesk);
  return joins || isOurs(message, addressed) || isOrder || mention.test(words);
}

function photoOf(
  message: Pick<Message, 'photo' | 'document'>,
  caption: string,
): Omit<IncomingPhoto, 'key'> | undefined {
  const source = pictureOf(message);
  if (!source) return undefined;
  return {
    fileRef: source.file_id,
    caption,
    fileName: source.file_name,
    bytes: source.file_size,
    widthPx: source.width,
    heightPx: source.height,
    compressed: source.compressed,
  };
}

/** The same for all photos that were sent in one go, and for no others. */
export function groupIdOf({ chat, media_group_id }: Message): string | undefined {
  return media_group_id ? `${chat.id}:${media_group_id}` : undefined;
}

function isGroup(message: Message): boolean {
  return message.chat.type !== 'private';
}
