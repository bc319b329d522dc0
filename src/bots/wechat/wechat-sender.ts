import { setTimeout as wait } from 'node:timers/promises';
import { FileBox, type FileBoxInterface } from 'file-box';
import type { WechatyInterface } from 'wechaty/impls';
import { ChannelAway, CustomerUnreachable } from '../../studio/errors/index.js';
import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Media, Reply } from '../conversation/reply.js';
import { extensionOf } from '../picture-extension.js';
import { Turns } from '../turns.js';
import { placeOf } from './wechat-chat.js';
import { inLines, type WechatChoices } from './wechat-choices.js';
import type { WechatPace } from './wechat-pace.js';
import type { WechatPeople } from './wechat-people.js';

/** A puppet that does not answer in this time has lost the message. */
const sayTimeoutMs = 180_000;
const retryMs = 60_000;

export interface WechatSender {
  /**
   * Say it once: of what was said before only the missing parts follow, and a passing word about
   * the same thing is left out. Messages of one chat keep their order.
   * @throws {ChannelAway} logged out, the day's messages used up, or the puppet failed.
   */
  say(chatId: string, reply: Reply): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createWechatSender(deps: {
  bot: () => WechatyInterface;
  people: WechatPeople;
  pace: WechatPace;
  choices: WechatChoices;
  chatLog: ChatLog;
  blobs: Blobs;
  clock: Clock;
  log: Logger;
  /** "Reply with a number" in the chat's language. */
  replyWith: (chatId: string, numbers: string) => Promise<string>;
}): WechatSender {
  const turns = new Turns();
  const { chatLog, clock, log } = deps;

  async function say(chatId: string, reply: Reply): Promise<void> {
    const parts = await partsOf(chatId, reply);
    for (const [i, part] of parts.entries()) {
      const milestone = reply.milestone ? `@${reply.milestone}` : '';
      const key = `${chatId}:${reply.key}${milestone}${i === 0 ? '' : `#${i}`}`;
      const before = await chatLog.sent('wechat', key);
      // No edits in WeChat. Begun and never confirmed: only what matters is worth a repeat.
      if (before && (before.ref !== '' || reply.passing)) continue;
      const record = (ref: string) =>
        chatLog.recordSent({ channel: 'wechat', key, chatKey: chatId, ref }, clock.now());
      // Whoever is away is not asked for the day's count either.
      deps.bot();
      await deps.pace.turn();
      await record('');
      await record(await deliver(chatId, part));
    }
    if (reply.choices) await deps.choices.offer(chatId, reply.choices);
  }

  /** Pictures and files first, then the words about them with what can be done. */
  async function partsOf(chatId: string, reply: Reply): Promise<(string | Media)[]> {
    const media = [...(reply.pictures ?? []), reply.picture, reply.file];
    const lines = await wordsOf(chatId, reply);
    return [...media.filter((one) => one !== undefined), ...(lines ? [lines] : [])];
  }

  async function wordsOf(chatId: string, reply: Reply): Promise<string> {
    const offer = await deps.replyWith(chatId, '{}');
    return inLines(reply, (numbers) => offer.replace('{}', numbers));
  }

  async function deliver(chatId: string, part: string | Media): Promise<string> {
    const bot = deps.bot();
    const { roomId, personId } = placeOf(chatId);
    const content = typeof part === 'string' ? part : await boxOf(part);
    const contactId = await deps.people.contactIdOf(personId);
    const speak = async () => {
      const person = await bot.Contact.find({ id: contactId });
      const room = roomId ? await bot.Room.find({ id: roomId }) : undefined;
      const to = roomId ? room : person;
      if (!to) throw new CustomerUnreachable('wechat');
      if (room && person && typeof content === 'string') return room.say(content, person);
      return to.say(content as never);
    };
    try {
      const said = await timely(speak());
      // Some puppets do not tell the id of what they sent.
      return said?.id || 'sent';
    } catch (error) {
      if (error instanceof CustomerUnreachable) throw error;
      log.warn('wechat.notSent', { fault: error instanceof Error ? error.name : 'unknown' });
      throw new ChannelAway('wechat', retryMs);
    }
  }

  async function boxOf(media: Media): Promise<FileBoxInterface> {
    if ('bytes' in media) return FileBox.fromBuffer(Buffer.from(media.bytes), media.name);
    const file = await deps.blobs.localFile(media.blobKey);
    const name = media.name.includes('.') ? media.name : media.name + (await extensionOf(file));
    return FileBox.fromFile(file, name);
  }

  return {
    say: (chatId, reply) => turns.take(chatId, () => say(chatId, reply)),
    idle: () => turns.idle(),
  };
}

async function timely<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = wait(sayTimeoutMs, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error('no answer');
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => {});
    over.abort();
  }
}
