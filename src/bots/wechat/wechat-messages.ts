import { setTimeout as wait } from 'node:timers/promises';
import { FileBox, type FileBoxInterface } from 'file-box';
import type { WechatyInterface } from 'wechaty/impls';
import { ChannelAway, CustomerUnreachable } from '../../studio/errors/index.js';
import type { Logger } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { Media } from '../conversation/reply.js';
import type { Door } from '../door.js';
import { sendableFile } from '../sendable-file.js';
import { placeOf } from './wechat-chat.js';
import type { WechatPeople } from './wechat-people.js';

/** A puppet that does not answer in this time has lost the message. */
const sayTimeoutMs = 180_000;
const retryMs = 60_000;

/**
 * Sends messages through the puppet: words, or one picture or file.
 * @returns as `Door.send`; it throws `ChannelAway` when nobody is logged in or the puppet failed.
 */
export function createWechatSend(deps: {
  bot: () => WechatyInterface;
  people: WechatPeople;
  blobs: Blobs;
  log: Logger;
}): Door['send'] {
  async function boxOf(media: Media): Promise<FileBoxInterface> {
    const one = await sendableFile(media, deps.blobs);
    if ('bytes' in one) return FileBox.fromBuffer(Buffer.from(one.bytes), one.name);
    return FileBox.fromFile(one.file, one.name);
  }

  return async (chatId, { text, picture, file }) => {
    const bot = deps.bot();
    const { roomId, personId } = placeOf(chatId);
    const media = picture ?? file;
    const content = media ? await boxOf(media) : text;
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
      return said?.id ?? '';
    } catch (error) {
      if (error instanceof CustomerUnreachable) throw error;
      deps.log.warn('wechat.notSent', { fault: error instanceof Error ? error.name : 'unknown' });
      throw new ChannelAway('wechat', retryMs);
    }
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
