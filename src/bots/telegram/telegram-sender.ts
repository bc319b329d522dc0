import { Input } from 'telegraf';
import type { Clock } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import { encodeIntent } from '../conversation/intent-codec.js';
import type { Choice, Media, Reply } from '../conversation/reply.js';
import { extensionOf } from '../picture-extension.js';
import { Turns } from '../turns.js';
import { type TelegramCalls, TelegramRefused } from './telegram-client.js';

const captionMax = 1_024;
const groupMax = 10;

interface Sent {
  readonly message_id: number;
}

export interface TelegramSender {
  /**
   * Say it once: a key that was said before is edited or left alone. Messages of one chat keep
   * their order.
   * @returns the message's id.
   * @throws {ChannelAway | CustomerUnreachable}
   */
  say(chatId: string, reply: Reply): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createTelegramSender(deps: {
  calls: TelegramCalls;
  chatLog: ChatLog;
  blobs: Blobs;
  clock: Clock;
}): TelegramSender {
  const turns = new Turns();
  const { calls, chatLog, clock } = deps;

  async function say(chatId: string, reply: Reply): Promise<void> {
    const before = await chatLog.sent('telegram', keyOf(chatId, reply));
    if (before?.ref) return edit(chatId, Number(before.ref), reply);
    // Begun and never confirmed: a passing word is let go, a file or an offer is worth a repeat.
    if (before && reply.passing) return;
    const record = (ref: string) =>
      chatLog.recordSent(
        { channel: 'telegram', key: keyOf(chatId, reply), chatKey: chatId, ref },
        clock.now(),
      );
    await record('');
    const { message_id } = await send(chatId, reply);
    await record(String(message_id));
  }

  async function send(chatId: string, reply: Reply): Promise<Sent> {
    const chat = { id: chatId, isGroup: chatId.startsWith('-') };
    const options = { chat, repeatable: !reply.passing };
    const base = { chat_id: chatId, ...markup(reply.choices) };
    if (reply.pictures && reply.pictures.length > 0) {
      await sendAlbum(chatId, reply.pictures, options);
      return calls.call<Sent>('sendMessage', { ...base, text: reply.text }, options);
    }
    const media = reply.file ?? reply.picture;
    if (!media) return calls.call<Sent>('sendMessage', { ...base, text: reply.text }, options);
    const caption = reply.text.slice(0, captionMax);
    const input = await inputOf(media);
    if (!reply.file) {
      try {
        return await calls.call<Sent>('sendPhoto', { ...base, photo: input, caption }, options);
      } catch (error) {
        // Too long and thin, or too large for a photo: as a file it always goes.
        if (!(error instanceof TelegramRefused)) throw error;
      }
    }
    return calls.call<Sent>('sendDocument', { ...base, document: input, caption }, options);
  }

  async function sendAlbum(
    chatId: string,
    pictures: readonly Media[],
    options: { chat: { id: string; isGroup: boolean }; repeatable: boolean },
  ): Promise<void> {
    for (let at = 0; at < pictures.length; at += groupMax) {
      const part = pictures.slice(at, at + groupMax);
      const media = [];
      for (const picture of part) media.push({ type: 'photo', media: await inputOf(picture) });
      const [first] = media;
      if (media.length > 1) await calls.call('sendMediaGroup', { chat_id: chatId, media }, options);
      else if (first)
        await calls.call('sendPhoto', { chat_id: chatId, photo: first.media }, options);
    }
  }

  async function edit(chatId: string, messageId: number, reply: Reply): Promise<void> {
    // Pictures and files that arrived stay as they are.
    if (reply.picture || reply.pictures || reply.file) return;
    const payload = {
      chat_id: chatId,
      message_id: messageId,
      text: reply.text,
      ...markup(reply.choices),
    };
    const chat = { id: chatId, isGroup: chatId.startsWith('-') };
    try {
      await calls.call('editMessageText', payload, { chat, repeatable: true });
    } catch (error) {
      // Deleted by the customer, or too old to be edited: what passes is let go.
      if (!(error instanceof TelegramRefused)) throw error;
    }
  }

  async function inputOf(media: Media) {
    if ('bytes' in media) return Input.fromBuffer(Buffer.from(media.bytes), media.name);
    const file = await deps.blobs.localFile(media.blobKey);
    const name = media.name.includes('.') ? media.name : media.name + (await extensionOf(file));
    return Input.fromLocalFile(file, name);
  }

  return {
    say: (chatId, reply) => turns.take(chatId, () => say(chatId, reply)),
    idle: () => turns.idle(),
  };
}

/** The same news may go to several chats (a group and a private one). */
function keyOf(chatId: string, reply: Reply): string {
  return `${chatId}:${reply.key}`;
}

function markup(choices: Reply['choices']): object {
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
