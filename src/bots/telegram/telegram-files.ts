import { copyFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  ChannelAway,
  PhotoFileTooLarge,
  PhotoUnreadable,
  StudioError,
} from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import { FileBeyondChannel } from '../conversation/errors.js';
import { savePhoto } from '../save-photo.js';
import { type TelegramCalls, TelegramRefused } from './telegram-client.js';
import { transferMs } from './telegram-deadline.js';

/** Telegram's own servers give bots no more than this. */
const botLimitBytes = 20_000_000;

/** Download a photo. @throws {PhotoFileTooLarge | ChannelAway | PhotoUnreadable} */
export async function fetchTelegramFile(
  calls: TelegramCalls,
  fileRef: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const { url, bytes } = await linkOf(calls, fileRef);
  // A self-hosted server in local mode names a file of this machine.
  if (url.protocol === 'file:') return copyLocal(url, file);
  // A connection that only this side believes in ends, too.
  const ending = AbortSignal.any([signal, AbortSignal.timeout(transferMs(bytes))]);
  const response = await fetch(url, { signal: ending, redirect: 'error' }).catch((error) => {
    throw new ChannelAway('telegram', undefined, nameOf(error));
  });
  if (!response.ok || !response.body) throw new ChannelAway('telegram');
  await savePhoto(Readable.fromWeb(response.body as never), file, ending).catch((error) => {
    if (error instanceof PhotoFileTooLarge || signal.aborted) throw error;
    throw new ChannelAway('telegram', undefined, nameOf(error));
  });
}

interface Found {
  readonly file_path?: string;
  readonly file_size?: number;
}

interface Link {
  readonly url: URL;
  readonly bytes: number;
}

/** The address holds the bot's token: it never leaves this file. */
async function linkOf({ call, telegram }: TelegramCalls, fileId: string): Promise<Link> {
  try {
    const ask = { file_id: fileId };
    const found = await call<Found>('getFile', ask, { repeatable: true });
    const bytes = found.file_size ?? botLimitBytes;
    // telegraf makes file://<host>/ of it, which no file function takes.
    if (path.isAbsolute(found.file_path ?? ''))
      return { url: pathToFileURL(found.file_path as string), bytes };
    return { url: await telegram.getFileLink(found as never), bytes };
  } catch (error) {
    if (!(error instanceof TelegramRefused)) throw error;
    if (error.description.includes('too big'))
      throw new FileBeyondChannel(undefined, botLimitBytes);
    throw new PhotoUnreadable('the file is no longer at Telegram', undefined, 'gone');
  }
}

async function copyLocal(from: URL, file: string): Promise<void> {
  try {
    const { size } = await stat(from);
    const limit = limits.photo.uploadBytes;
    if (size > limit) throw new PhotoFileTooLarge(size, limit);
    await copyFile(from, file);
  } catch (error) {
    if (error instanceof StudioError) throw error;
    throw new PhotoUnreadable('the Bot API server names a file that cannot be read here');
  }
}

/** fetch's errors may quote the address. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}
