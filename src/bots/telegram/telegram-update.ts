import type { IncomingPhoto, Intent } from '../conversation/intent.js';
import { decodeIntent } from '../conversation/intent-codec.js';
import { parseText } from '../conversation/parse-text.js';
import type { Membership, Said, Speaker } from '../door.js';

/** What of a Bot API message we read. Everything is hostile until checked. */
interface Message {
  readonly message_id: number;
  readonly chat: { readonly id: number; readonly type: string };
  readonly from?: Person;
  readonly text?: string;
  readonly caption?: string;
  readonly media_group_id?: string;
  readonly photo?: readonly Size[];
  readonly document?: Size & { readonly mime_type?: string; readonly file_name?: string };
  readonly reply_to_message?: { readonly message_id: number; readonly from?: Person };
  readonly successful_payment?: {
    readonly currency: string;
    readonly total_amount: number;
    readonly invoice_payload: string;
    readonly telegram_payment_charge_id: string;
  };
  readonly date: number;
}

interface Person {
  readonly id: number;
  readonly username?: string;
  readonly is_bot?: boolean;
  readonly language_code?: string;
}

interface Size {
  readonly file_id: string;
  readonly width?: number;
  readonly height?: number;
  readonly file_size?: number;
}

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
  | Membership
  | { readonly kind: 'nothing' };

/** Chat that an update belongs to: what is handled in order. */
export function chatOf(update: TelegramUpdate): string {
  const chat =
    update.message?.chat.id ??
    update.callback_query?.message?.chat.id ??
    update.callback_query?.from.id ??
    update.my_chat_member?.chat.id ??
    0;
  return String(chat);
}

/** In groups only what is addressed to the bot counts. */
export interface Addressed {
  /** Without @. */
  readonly botName: string;
  /** In the operators' own group every command counts. */
  readonly isDesk: (chatId: string) => boolean;
  /** The message is a photo of an album that was addressed to us. */
  readonly joins: boolean;
}

/** Reads an update; pure. */
export function understand(update: TelegramUpdate, addressed: Addressed): Understood {
  if (update.callback_query) return pressed(update.callback_query);
  const member = update.my_chat_member;
  if (member) {
    const gone = ['kicked', 'left'].includes(member.new_chat_member.status);
    return { kind: 'membership', chatId: String(member.chat.id), gone };
  }
  const { message } = update;
  if (!message?.from || message.from.is_bot) return { kind: 'nothing' };
  if (message.successful_payment) {
    const payment = message.successful_payment;
    const payerId = String(message.from.id);
    return { kind: 'paid', payment, payerId, paidAtMs: message.date * 1_000 };
  }
  const intent = intentOf(message, addressed);
  if (!intent) return { kind: 'nothing' };
  const repliesTo = message.reply_to_message?.message_id;
  return {
    kind: 'said',
    said: {
      kind: 'said',
      who: speakerOf(message.chat.id, message.from),
      intent,
      ...(repliesTo === undefined ? {} : { repliesTo: String(repliesTo) }),
      text: message.text ?? message.caption,
      sentMs: message.date * 1_000,
      groupId: groupIdOf(message),
    },
  };
}

function pressed(query: NonNullable<TelegramUpdate['callback_query']>): Understood {
  const intent = decodeIntent(query.data ?? '') ?? { kind: 'help' };
  const who = speakerOf(query.message?.chat.id ?? query.from.id, query.from);
  return { kind: 'said', said: { kind: 'said', who, intent, callbackId: query.id } };
}

function speakerOf(chatId: number, from: Person): Speaker {
  return { chatId: String(chatId), userId: String(from.id), languageCode: from.language_code };
}

function intentOf(message: Message, addressed: Addressed): Intent | undefined {
  const said = message.text ?? message.caption ?? '';
  const mention = new RegExp(`@${addressed.botName}\\b`, 'i');
  if (isGroup(message) && !isToUs(message, said, mention, addressed)) return undefined;
  const photo = photoOf(message, said.replace(mention, ' ').trim());
  if (photo) return { kind: 'photos', photos: [photo] };
  if (message.text === undefined) return { kind: 'help' };
  // "/help@huancai_bot" stays whole: parseText knows it.
  const text = /^\//.test(message.text) ? message.text : message.text.replace(mention, ' ');
  return parseText(text);
}

function isToUs(message: Message, said: string, mention: RegExp, addressed: Addressed): boolean {
  const repliedTo = message.reply_to_message?.from?.username;
  const isReply = repliedTo?.toLowerCase() === addressed.botName.toLowerCase();
  const isOrder = said.startsWith('/') && addressed.isDesk(String(message.chat.id));
  return addressed.joins || isReply || isOrder || mention.test(said);
}

/** Some phones send pictures as files of no type: the name tells. */
const pictureName = /\.(?:jpe?g|png|webp|avif|heic|heif|tiff?|bmp|gif)$/i;

function photoOf(message: Message, caption: string): IncomingPhoto | undefined {
  const largest = message.photo?.at(-1);
  const { document } = message;
  const isImage =
    document?.mime_type?.startsWith('image/') || pictureName.test(document?.file_name ?? '');
  const image = isImage ? document : undefined;
  const source = largest ?? image;
  if (!source) return undefined;
  return {
    fileRef: source.file_id,
    key: `tg:${message.chat.id}:${message.message_id}`,
    caption,
    bytes: source.file_size,
    widthPx: source.width,
    heightPx: source.height,
    compressed: largest !== undefined,
  };
}

/** The same for all photos that were sent in one go, and for no others. */
export function groupIdOf({ chat, media_group_id }: Message): string | undefined {
  return media_group_id ? `${chat.id}:${media_group_id}` : undefined;
}

function isGroup(message: Message): boolean {
  return message.chat.type !== 'private';
}
