import { createWriteStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ChannelAway, PhotoFileTooLarge, PhotoUnreadable } from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Conversation } from '../conversation/conversation.js';
import { FileBeyondChannel } from '../conversation/errors.js';
import { personalNews } from '../personal-news.js';
import { type TelegramCalls, TelegramRefused } from './telegram-client.js';
import { privateChatState } from './telegram-handler.js';
import type { TelegramSender } from './telegram-sender.js';

/** Telegram's own servers give bots no more than this. */
const botLimitBytes = 20_000_000;

/** Outbound side of Telegram. */
export function createTelegramChannel(deps: {
  conversation: () => Conversation;
  sender: TelegramSender;
  calls: TelegramCalls;
  chatLog: ChatLog;
}): ChatChannel {
  return {
    id: 'telegram',
    async notify(to, customer, event, key) {
      const isGroup = to.chatId.startsWith('-');
      const alone =
        isGroup && personalNews.has(event.kind)
          ? await deps.chatLog.state<{ chatId: string }>('telegram', customer.id, privateChatState)
          : undefined;
      const chatId = alone?.chatId ?? to.chatId;
      const chat = { channel: 'telegram' as const, chatId };
      const replies = await deps.conversation().tell({ customer, chat }, event, key);
      for (const reply of replies) await deps.sender.say(chatId, reply);
    },
    async fetchFile(fileRef, file, signal) {
      const url = await linkOf(deps.calls, fileRef);
      // A self-hosted server in local mode names a file of this machine.
      if (url.protocol === 'file:') return copyFile(url, file);
      const response = await fetch(url, { signal, redirect: 'error' }).catch((error) => {
        throw new ChannelAway('telegram', undefined, nameOf(error));
      });
      if (!response.ok || !response.body) throw new ChannelAway('telegram');
      await save(response.body, file, signal);
    },
  };
}

/** The address holds the bot's token: it never leaves this file. */
async function linkOf({ call, telegram }: TelegramCalls, fileId: string): Promise<URL> {
  try {
    const found = await call<object>('getFile', { file_id: fileId }, { repeatable: true });
    return await telegram.getFileLink(found as never);
  } catch (error) {
    if (!(error instanceof TelegramRefused)) throw error;
    if (error.description.includes('too big'))
      throw new FileBeyondChannel(botLimitBytes + 1, botLimitBytes);
    throw new PhotoUnreadable('the file is no longer at Telegram', undefined, 'gone');
  }
}

async function save(body: ReadableStream, file: string, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  const limit = limits.photo.uploadBytes;
  const counted = async function* (source: AsyncIterable<Uint8Array>) {
    for await (const part of source) {
      bytes += part.length;
      if (bytes > limit) throw new PhotoFileTooLarge(bytes, limit);
      yield part;
    }
  };
  try {
    const source = Readable.fromWeb(body as never);
    await pipeline(source, counted, createWriteStream(file, { mode: 0o600 }), { signal });
  } catch (error) {
    if (error instanceof PhotoFileTooLarge || signal.aborted) throw error;
    throw new ChannelAway('telegram', undefined, nameOf(error));
  }
}

/** fetch's errors may quote the address. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}
