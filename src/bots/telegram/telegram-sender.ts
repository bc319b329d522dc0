import { Input } from 'telegraf';
import { CustomerUnreachable } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import { encodeIntent } from '../conversation/intent-codec.js';
import type { Choice, Media, Reply } from '../conversation/reply.js';
import { extensionOf } from '../picture-extension.js';
import { Turns } from '../turns.js';
import { type TelegramCalls, TelegramRefused } from './telegram-client.js';

const textMax = 4_096;
const captionMax = 1_024;
const groupMax = 10;
/** Progress is edited no more often: edits count as messages. */
const frequentMs = 2_500;
/** State of chats that do not want to hear from us. */
const blockedState = 'blocked';

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
  /** The person left, or came back: a chat that blocked us is not written to any more. */
  setBlocked(chatId: string, blocked: boolean): Promise<void>;
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
  /** When a chat's progress was shown last, ms. */
  const shownMs = new Map<string, number>();

  const isBlocked = (chatId: string) => chatLog.state<boolean>('telegram', chatId, blockedState);

  async function setBlocked(chatId: string, blocked: boolean): Promise<void> {
    if ((await isBlocked(chatId)) === (blocked || undefined)) return;
    await chatLog.setState('telegram', chatId, blockedState, blocked ? true : undefined);
  }

  async function say(chatId: string, reply: Reply): Promise<void> {
    if (await isBlocked(chatId)) throw new CustomerUnreachable('telegram');
    try {
      await sayOnce(chatId, reply);
    } catch (error) {
      if (error instanceof CustomerUnreachable) await setBlocked(chatId, true);
      throw error;
    }
  }

  async function sayOnce(chatId: string, reply: Reply): Promise<void> {
    const parts = partsOf(reply);
    for (const [i, part] of parts.entries()) {
      const isLast = i === parts.length - 1;
      // The last part has the buttons and is the one that is edited.
      const key = `${chatId}:${reply.key}${isLast ? '' : `#${i}`}`;
      const before = await chatLog.sent('telegram', key);
      if (before?.ref) {
        const isDue = !reply.frequent || isTime(chatId);
        if (isLast && !reply.once && isDue) await edit(chatId, Number(before.ref), part);
        continue;
      }
      // Begun and never confirmed: a passing word is let go, a file or an offer is worth a repeat.
      if (before && reply.passing) continue;
      const record = (ref: string) =>
        chatLog.recordSent({ channel: 'telegram', key, chatKey: chatId, ref }, clock.now());
      await record('');
      const sent = await send(chatId, part);
      await record(String(sent?.message_id ?? 'sent'));
    }
  }

  function isTime(chatId: string): boolean {
    const now = clock.now();
    for (const [chat, atMs] of shownMs) if (now - atMs >= frequentMs) shownMs.delete(chat);
    if (shownMs.has(chatId)) return false;
    shownMs.set(chatId, now);
    return true;
  }

  async function send(chatId: string, reply: Reply): Promise<Sent> {
    const chat = { id: chatId, isGroup: chatId.startsWith('-') };
    const options = { chat, repeatable: !reply.passing };
    const base = { chat_id: chatId, ...markup(reply.choices) };
    if (reply.pictures) return sendTogether(chatId, reply.pictures, options);
    const media = reply.file ?? reply.picture;
    if (!media) return calls.call<Sent>('sendMessage', { ...base, text: reply.text }, options);
    const input = await inputOf(media);
    const caption = reply.text;
    if (!reply.file) {
      try {
        return await calls.call<Sent>('sendPhoto', { ...base, photo: input, caption }, options);
      } catch (error) {
        // Too long and thin, or too large for a photo: as a file it always goes.
        if (!(error instanceof TelegramRefused)) throw error;
      }
    }
    try {
      return await calls.call<Sent>('sendDocument', { ...base, document: input, caption }, options);
    } catch (error) {
      const isTooLarge = error instanceof TelegramRefused && error.status === 413;
      if (!isTooLarge || !reply.instead) throw error;
      return calls.call<Sent>('sendMessage', { chat_id: chatId, text: reply.instead }, options);
    }
  }

  async function sendTogether(
    chatId: string,
    pictures: readonly Media[],
    options: { chat: { id: string; isGroup: boolean }; repeatable: boolean },
  ): Promise<Sent> {
    const media = [];
    for (const picture of pictures) media.push({ type: 'photo', media: await inputOf(picture) });
    const [first] = media;
    if (media.length === 1)
      return calls.call('sendPhoto', { chat_id: chatId, photo: first!.media }, options);
    const sent = await calls.call<Sent[]>('sendMediaGroup', { chat_id: chatId, media }, options);
    return sent[0]!;
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
    setBlocked: (chatId, blocked) => turns.take(chatId, () => setBlocked(chatId, blocked)),
    idle: () => turns.idle(),
  };
}

/** What Telegram takes as one message each: albums of ten, texts of 4,096 letters. */
function partsOf(reply: Reply): Reply[] {
  const { key, pictures = [], choices, passing, once, text, frequent: _, ...media } = reply;
  const parts: Reply[] = [];
  for (let at = 0; at < pictures.length; at += groupMax)
    parts.push({ key, text: '', pictures: pictures.slice(at, at + groupMax) });
  const isMedia = media.file !== undefined || media.picture !== undefined;
  const texts = textsOf(text, isMedia ? captionMax : textMax);
  const whole = { key, choices, passing, once };
  if (isMedia && texts.length === 1) return [...parts, { ...whole, ...media, text }];
  if (isMedia) parts.push({ key, passing, ...media, text: '' });
  if (parts.length > 0 && text === '') return parts;
  return [
    ...parts,
    ...texts.map((one, i) => (i < texts.length - 1 ? { key, text: one } : { ...whole, text: one })),
  ];
}

function textsOf(text: string, max: number): string[] {
  if (text.length <= max) return [text];
  const texts: string[] = [];
  for (let at = 0; at < text.length; at += textMax) texts.push(text.slice(at, at + textMax));
  return texts;
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
