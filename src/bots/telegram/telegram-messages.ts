import { Input } from 'telegraf';
import type { Blobs } from '../../studio/ports/blobs.js';
import { encodeIntent } from '../conversation/intent-codec.js';
import type { Choice, Media } from '../conversation/reply.js';
import type { Outgoing } from '../door.js';
import { sendableFile } from '../sendable-file.js';
import { groupOf, isTelegramGroup, type TelegramChats } from './telegram-chats.js';
import { type CallOptions, type TelegramCalls, TelegramRefused } from './telegram-client.js';

interface Sent {
  readonly message_id: number;
  readonly chat: { readonly id: number };
}

/** Messages as the Bot API takes them. */
export interface TelegramMessages {
  /** @returns our name of the message, or of the first of a group of pictures. */
  send(chatId: string, message: Outgoing): Promise<string>;
  /** Texts and their buttons; pictures and files that arrived stay as they are. */
  edit(chatId: string, ref: string, message: Outgoing): Promise<void>;
}

/** Sends through the Bot API; the calls keep the pace. */
export function createTelegramMessages({
  calls,
  chats,
  blobs,
}: {
  calls: TelegramCalls;
  chats: TelegramChats;
  blobs: Blobs;
}): TelegramMessages {
  const optionsOf = (chatId: string, repeatable: boolean): CallOptions => ({
    // Telegram counts a group's messages, not a topic's.
    chat: { id: groupOf(chatId), isGroup: isTelegramGroup(chatId) },
    repeatable,
  });

  async function send(chatId: string, message: Outgoing): Promise<Sent> {
    const { text, pictures, picture, file, choices } = message;
    const options = optionsOf(chatId, !message.passing);
    const address = chats.addressOf(chatId);
    if (pictures) return sendTogether(address, pictures, options);
    const base = { ...address, ...replying(chatId, message), ...markup(choices) };
    if (picture) return sendPicture(base, picture, text, options);
    if (!file) return calls.call<Sent>('sendMessage', { ...base, text }, options);
    const payload = { ...base, document: await inputOf(file), caption: text };
    try {
      return await calls.call<Sent>('sendDocument', payload, options);
    } catch (error) {
      const isTooLarge = error instanceof TelegramRefused && error.status === 413;
      if (!isTooLarge || !message.instead) throw error;
      const instead = { ...address, ...replying(chatId, message), text: message.instead };
      return calls.call<Sent>('sendMessage', instead, options);
    }
  }

  /** What was deleted meanwhile is not replied to. */
  function replying(chatId: string, { repliesTo }: Outgoing): object {
    const message_id = repliesTo === undefined ? undefined : chats.saidIn(chatId, repliesTo);
    if (message_id === undefined) return {};
    // As text: telegraf leaves objects that it does not know out of uploads.
    const how = { message_id, allow_sending_without_reply: true };
    return { reply_parameters: JSON.stringify(how) };
  }

  async function sendPicture(base: object, media: Media, caption: string, options: CallOptions) {
    const input = await inputOf(media);
    try {
      return await calls.call<Sent>('sendPhoto', { ...base, photo: input, caption }, options);
    } catch (error) {
      // Too long and thin, or too large for a photo: as a file it always goes.
      if (!(error instanceof TelegramRefused)) throw error;
    }
    return calls.call<Sent>('sendDocument', { ...base, document: input, caption }, options);
  }

  async function sendTogether(address: object, pictures: readonly Media[], options: CallOptions) {
    const media = [];
    for (const picture of pictures) media.push({ type: 'photo', media: await inputOf(picture) });
    const sent = await calls.call<Sent[]>('sendMediaGroup', { ...address, media }, options);
    return sent[0]!;
  }

  async function inputOf(media: Media) {
    const one = await sendableFile(media, blobs);
    if ('bytes' in one) return Input.fromBuffer(Buffer.from(one.bytes), one.name);
    return Input.fromLocalFile(one.file, one.name);
  }

  return {
    async send(chatId, message) {
      const sent = await send(chatId, message);
      return sent ? chats.refOf(sent.chat, sent.message_id) : '';
    },
    async edit(chatId, ref, { text, picture, pictures, file, choices }) {
      if (picture || pictures || file) return;
      const message_id = chats.messageOf(chatId, ref);
      if (message_id === undefined) return;
      const about = { chat_id: chats.addressOf(chatId).chat_id, message_id };
      try {
        const payload = { ...about, text, ...markup(choices) };
        await calls.call('editMessageText', payload, optionsOf(chatId, true));
      } catch (error) {
        // Deleted by the customer, or too old to be edited: what passes is let go.
        if (!(error instanceof TelegramRefused)) throw error;
      }
    },
  };
}

function markup(choices: Outgoing['choices']): object {
  if (!choices || choices.length === 0) return {};
  const row = (one: readonly Choice[]) =>
    one.map(buttonOf).filter((button) => button !== undefined);
  return { reply_markup: { inline_keyboard: choices.map(row) } };
}

function buttonOf(choice: Choice): object | undefined {
  if (choice.url) return { text: choice.label, url: choice.url };
  if (!choice.intent) return undefined;
  return { text: choice.label, callback_data: encodeIntent(choice.intent) };
}
