import type { ChannelId } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { IncomingPhoto } from './conversation/intent.js';
import { Turns } from './turns.js';

const stateName = 'incomingAlbum';

export interface IncomingAlbum {
  readonly albumId: string;
  readonly chatId: string;
  readonly userId: string;
  readonly isGroup: boolean;
  readonly languageCode?: string;
  readonly photos: readonly IncomingPhoto[];
}

export interface IncomingAlbums {
  /** Add one photo; the album is handed over when no more come. */
  add(part: Omit<IncomingAlbum, 'photos'>, photo: IncomingPhoto): Promise<void>;
  /** The album that is being collected in this chat. */
  current(chatId: string): Promise<IncomingAlbum | undefined>;
  /** Albums that a crash left half collected. */
  start(): Promise<void>;
  /** Hand over what is there, now. */
  stop(): Promise<void>;
}

export interface AlbumConfig {
  readonly channel: ChannelId;
  /** Photos of an album arrive as messages of their own; after this silence no more come. */
  readonly quietMs: number;
}

/**
 * Collects the photos of an album, durably: what is collected survives a crash.
 * @param done may run again for the same album: photos have natural keys.
 */
export function createIncomingAlbums(
  { chatLog }: { chatLog: ChatLog },
  { channel, quietMs }: AlbumConfig,
  done: (album: IncomingAlbum) => Promise<void>,
): IncomingAlbums {
  // A photo that arrives while its album is handed over must not be forgotten with it.
  const turns = new Turns();
  const timers = new Map<string, NodeJS.Timeout>();
  const current = (chatId: string) => chatLog.state<IncomingAlbum>(channel, chatId, stateName);

  async function flush(chatId: string): Promise<void> {
    clearTimeout(timers.get(chatId));
    timers.delete(chatId);
    const album = await current(chatId);
    if (!album) return;
    await done(album);
    await chatLog.setState(channel, chatId, stateName, undefined);
  }

  function later(chatId: string): void {
    clearTimeout(timers.get(chatId));
    const run = () => void turns.take(chatId, () => flush(chatId)).catch(() => later(chatId));
    timers.set(chatId, setTimeout(run, quietMs));
  }

  async function add(part: Omit<IncomingAlbum, 'photos'>, photo: IncomingPhoto): Promise<void> {
    const { chatId } = part;
    let known = await current(chatId);
    if (known && known.albumId !== part.albumId) {
      await flush(chatId);
      known = undefined;
    }
    const others = (known?.photos ?? []).filter((one) => one.key !== photo.key);
    const album: IncomingAlbum = { ...part, photos: [...others, photo] };
    await chatLog.setState(channel, chatId, stateName, album);
    later(chatId);
  }

  return {
    current,
    add: (part, photo) => turns.take(part.chatId, () => add(part, photo)),
    async start() {
      const left = await chatLog.withState<IncomingAlbum>(channel, stateName, 1_000);
      for (const { chatKey } of left) later(chatKey);
    },
    async stop() {
      const waiting = [...timers.keys()];
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      const flushed = waiting.map((chatId) => turns.take(chatId, () => flush(chatId)));
      await Promise.allSettled(flushed);
      await turns.idle();
    },
  };
}
