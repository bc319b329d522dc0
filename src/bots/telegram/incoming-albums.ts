import type { Clock } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { IncomingPhoto } from '../conversation/intent.js';

/** Telegram sends an album as separate updates within a moment; this is the moment. */
const quietMs = 1_200;
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
  /** Albums that a crash left half collected. */
  start(): Promise<void>;
  /** Hand over what is there, now. */
  stop(): Promise<void>;
}

/**
 * Collects the photos of an album, durably: what is collected survives a crash.
 * @param done may run again for the same album: photos have natural keys.
 */
export function createIncomingAlbums(
  deps: { chatLog: ChatLog; clock: Clock },
  done: (album: IncomingAlbum) => Promise<void>,
): IncomingAlbums {
  const { chatLog } = deps;
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();

  async function flush(chatId: string): Promise<void> {
    clearTimeout(timers.get(chatId));
    timers.delete(chatId);
    const album = await chatLog.state<IncomingAlbum>('telegram', chatId, stateName);
    if (!album) return;
    await done(album);
    await chatLog.setState('telegram', chatId, stateName, undefined);
  }

  function later(chatId: string): void {
    clearTimeout(timers.get(chatId));
    const timer = setTimeout(() => {
      const task = flush(chatId).catch(() => later(chatId));
      running.add(task);
      void task.finally(() => running.delete(task));
    }, quietMs);
    timers.set(chatId, timer);
  }

  return {
    async add(part, photo) {
      const { chatId } = part;
      let known = await chatLog.state<IncomingAlbum>('telegram', chatId, stateName);
      if (known && known.albumId !== part.albumId) {
        await flush(chatId);
        known = undefined;
      }
      const others = (known?.photos ?? []).filter((one) => one.key !== photo.key);
      const album: IncomingAlbum = { ...part, photos: [...others, photo] };
      await chatLog.setState('telegram', chatId, stateName, album);
      later(chatId);
    },
    async start() {
      const left = await chatLog.withState<IncomingAlbum>('telegram', stateName, 1_000);
      for (const { chatKey } of left) later(chatKey);
    },
    async stop() {
      const waiting = [...timers.keys()];
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      await Promise.all(running);
      for (const chatId of waiting) await flush(chatId).catch(() => {});
    },
  };
}
