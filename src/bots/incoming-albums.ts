import { createHash } from 'node:crypto';
import { codeOf, StudioError } from '../studio/errors/index.js';
import type { ChannelId, Clock, Logger } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import {
  type AlbumRules,
  type AlbumSender,
  type Arrival,
  type IncomingAlbum,
  isAlone,
  isFull,
  joins,
  pauseMs,
} from './album-rules.js';
import { isAlbumTold, setAlbumOpen } from './conversation/album-state.js';
import { Turns } from './turns.js';

const stateName = 'albumUnderWay';
const chatsMax = 1_000;
/** What could not be handed over is tried again after this. */
const retryMs = 2_000;

/** Photos that may belong together. */
export interface IncomingAlbums {
  /** Add one photo; what belongs together is handed over together. A repeat changes nothing. */
  add(sender: AlbumSender, arrival: Arrival): Promise<void>;
  /** The album that this person may still add to. */
  current(
    sender: Pick<AlbumSender, 'chatId' | 'userId' | 'isGroup'>,
  ): Promise<IncomingAlbum | undefined>;
  /** Words about the photos that wait. @returns false when none do. */
  describe(sender: AlbumSender, caption: string): Promise<boolean>;
  /** Albums that a crash left half collected. */
  start(): Promise<void>;
  /** Hand over what is there, now. */
  stop(): Promise<void>;
}

/** What becomes of albums. */
export interface AlbumHandlers {
  /** Photos to take; may run again for the same ones: photos have natural keys. */
  photos(album: IncomingAlbum): Promise<void>;
  /** Nobody is expected to add more: what is done may be told. May run again. */
  closed(album: IncomingAlbum): Promise<void>;
}

/** Collects the photos of albums, durably: what is collected survives a crash. */
export function createIncomingAlbums(
  { chatLog, clock, log }: { chatLog: ChatLog; clock: Clock; log: Logger },
  { channel, ...rules }: AlbumRules & { readonly channel: ChannelId },
  handlers: AlbumHandlers,
): IncomingAlbums {
  // A photo that arrives while its album is handed over must not be forgotten with it.
  const turns = new Turns();
  const timers = new Map<string, NodeJS.Timeout>();
  let stopped = false;
  const read = (key: string) => chatLog.state<IncomingAlbum>(channel, key, stateName);
  const write = (key: string, album: IncomingAlbum | undefined) =>
    chatLog.setState(channel, key, stateName, album);

  /** The next step of an album: hand over what waits, else close it, else forget it. */
  async function step(key: string): Promise<void> {
    const album = await read(key);
    if (!album) return;
    if (album.photos.length > 0) return later(key, await handOver(key, album));
    if (album.closed) return write(key, undefined);
    await setAlbumOpen(chatLog, channel, album.albumId, false);
    await handlers.closed(album);
    const closed = { ...album, closed: true };
    await write(key, closed);
    later(key, closed);
  }

  async function handOver(key: string, album: IncomingAlbum): Promise<IncomingAlbum> {
    await handlers.photos(album);
    const taken = [...album.taken, ...album.photos.map((one) => one.key)];
    const rest = { ...album, photos: [], taken };
    await write(key, rest);
    return rest;
  }

  function later(key: string, album: IncomingAlbum): void {
    wake(key, pauseMs(album, rules, clock.now()));
  }

  function wake(key: string, inMs: number): void {
    clearTimeout(timers.get(key));
    if (stopped) return;
    const run = () => {
      timers.delete(key);
      void turns
        .take(key, () => step(key))
        .catch((error: unknown) => {
          const code = codeOf(error);
          const err = error instanceof StudioError ? {} : { err: error };
          log.warn('chat.albumNotHandled', { channel, code, ...err });
          wake(key, retryMs);
        });
    };
    timers.set(key, setTimeout(run, inMs));
  }

  async function add(key: string, sender: AlbumSender, arrival: Arrival): Promise<void> {
    const before = await read(key);
    const known = before && (await continued(key, before, arrival));
    if (known?.taken.includes(arrival.photo.key)) return later(key, known);
    const follows = before !== undefined && known === undefined && isFull(before);
    const base = known ?? begun(sender, arrival, follows);
    const album = extended(base, arrival, rules, clock.now());
    await setAlbumOpen(chatLog, channel, album.albumId, true);
    await write(key, album);
    const isReady = isAlone(arrival, rules) || isFull(album);
    later(key, isReady ? await handOver(key, album) : album);
  }

  /** @returns undefined when the photo begins an album of its own. */
  async function continued(key: string, album: IncomingAlbum, arrival: Arrival) {
    const isRepeat = [...album.taken, ...album.photos.map((one) => one.key)].includes(
      arrival.photo.key,
    );
    const told = await isAlbumTold(chatLog, channel, album.albumId);
    if (isRepeat || joins(album, arrival, rules, told)) return album;
    const rest = album.photos.length > 0 ? await handOver(key, album) : album;
    await setAlbumOpen(chatLog, channel, rest.albumId, false);
    if (!rest.closed) await handlers.closed(rest);
    return undefined;
  }

  return {
    current: (sender) => read(keyOf(sender)),
    add: (sender, arrival) => {
      const key = keyOf(sender);
      return turns.take(key, () => add(key, sender, arrival));
    },
    describe: (sender, caption) => {
      const key = keyOf(sender);
      return turns.take(key, async () => {
        const album = await read(key);
        const [first, ...others] = album?.photos ?? [];
        if (!album || !first) return false;
        await write(key, { ...album, photos: [{ ...first, caption }, ...others] });
        return true;
      });
    },
    async start() {
      const left = await chatLog.withState<IncomingAlbum>(channel, stateName, chatsMax);
      for (const { chatKey, value } of left) later(chatKey, value);
    },
    async stop() {
      stopped = true;
      const waiting = [...timers.keys()];
      for (const timer of timers.values()) clearTimeout(timer);
      const flushed = waiting.map((key) =>
        turns.take(key, async () => {
          const album = await read(key);
          if (album && album.photos.length > 0) await handOver(key, album);
        }),
      );
      await Promise.allSettled(flushed);
      await turns.idle();
      timers.clear();
    },
  };
}

/** In a group everybody has an album of their own. */
function keyOf({ chatId, userId, isGroup }: Pick<AlbumSender, 'chatId' | 'userId' | 'isGroup'>) {
  return isGroup ? `${chatId}:${userId}` : chatId;
}

function begun(
  sender: AlbumSender,
  { photo, groupId, sentMs }: Arrival,
  follows: boolean,
): IncomingAlbum {
  const { chatId, userId, isGroup, languageCode } = sender;
  const from = { chatId, userId, isGroup, ...(languageCode ? { languageCode } : {}) };
  // What a full album had no room for must not get that album's name.
  const name = `${chatId}:${follows ? photo.key : (groupId ?? photo.key)}`;
  // Short enough for a button.
  const albumId = createHash('sha256').update(name).digest('hex').slice(0, 22);
  const empty = { photos: [], taken: [], inGroup: 0, closed: false };
  return { ...from, albumId, ...empty, lastMs: sentMs, waitingSinceMs: 0, follows };
}

function extended(
  album: IncomingAlbum,
  { photo, groupId, sentMs }: Arrival,
  { marksGroups }: AlbumRules,
  nowMs: number,
): IncomingAlbum {
  const at = album.photos.findIndex((one) => one.key === photo.key);
  if (at >= 0) return { ...album, photos: album.photos.with(at, photo) };
  const { groupId: before, ...rest } = album;
  const goesOn = groupId === before ? album.inGroup + 1 : 1;
  return {
    ...rest,
    ...(groupId === undefined ? {} : { groupId }),
    photos: [...album.photos, photo],
    inGroup: marksGroups && groupId === undefined ? 0 : goesOn,
    waitingSinceMs: album.photos.length > 0 ? album.waitingSinceMs : nowMs,
    lastMs: Math.max(album.lastMs, sentMs),
    closed: false,
  };
}
