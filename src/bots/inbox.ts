import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, StudioError } from '../studio/errors/index.js';
import type { ChannelId, Clock, Logger } from '../studio/ports/basics.js';
import type { ChatLog, ChatUpdate } from '../studio/ports/chat-log.js';
import { Turns } from './turns.js';

/** More than this is left by no crash that we could foresee; what is beyond waits for a replay. */
const replayMax = 50_000;
const replayMs = 30_000;
const handleAttempts = 5;
const backoffMs = 500;
const backoffMaxMs = 10_000;

/** What waits behind an update in its chat; what is taken is answered with it. */
export interface Followers {
  /** Taken before, when the same update was tried. */
  taken(): readonly ChatUpdate[];
  /** The next that waits. */
  next(): ChatUpdate | undefined;
  take(update: ChatUpdate): void;
}

/** Everything that arrives from one channel. */
export interface Inbox {
  /**
   * Write an update down; resolves when it is durable. Never rejects: while the database is away
   * it waits, which holds back the channel, so that nothing is confirmed that is not ours.
   */
  receive(update: ChatUpdate): Promise<void>;
  /** Handle what a crash left behind, then follow. */
  start(): Promise<void>;
  /**
   * Try now what could not be handled before. It happens by itself every half minute, for chats
   * that were not asked to wait longer.
   * @param chatKey this chat alone, after what runs in it.
   */
  catchUp(chatKey?: string): Promise<void>;
  /** No new work; resolves when what runs is through. */
  stop(): Promise<void>;
}

/**
 * Persist first, answer once: updates that arrive together are written with one commit, repeats
 * are dropped, and each chat's updates are handled one after the other. A chat whose update cannot
 * be handled yet waits with all that follows, so that its order is kept.
 * @param handle may run again for the same update after a crash: its effects have natural keys.
 * @param ready whether trying again makes sense now.
 */
export function createInbox(
  deps: { chatLog: ChatLog; clock: Clock; log: Logger },
  channel: ChannelId,
  handle: (update: ChatUpdate, followers: Followers) => Promise<void>,
  ready: () => boolean = () => true,
): Inbox {
  const { chatLog, clock, log } = deps;
  const turns = new Turns();
  /** Updates that have their turn coming, oldest first; under the key of what was taken: by whom. */
  const underWay = new Map<string, ChatUpdate>();
  /** Chats that wait for a replay, and until when; on a clock that nobody sets. */
  const held = new Map<string, number>();
  let waiting: { update: ChatUpdate; done: () => void }[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** Updates that came for held chats; they are found in the database. */
  let skipped = 0;

  /** One writer; whatever arrives while it writes goes into its next commit. */
  async function write(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const batch = waiting;
        waiting = [];
        const fresh = await recordForSure(batch.map(({ update }) => update));
        for (const { done } of batch) done();
        for (const update of fresh) {
          if (held.has(update.chatKey)) skipped += 1;
          else dispatch(update);
        }
      }
    } finally {
      // In the same moment as the last look: who comes a moment later finds no writer, and is one.
      writing = undefined;
    }
  }

  async function recordForSure(updates: readonly ChatUpdate[]): Promise<readonly ChatUpdate[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await chatLog.record(updates);
      } catch (error) {
        log.error('chat.notRecorded', { channel, updates: updates.length, code: codeOf(error) });
        await wait(Math.min(backoffMaxMs, backoffMs * 2 ** attempt));
      }
    }
  }

  function dispatch(update: ChatUpdate): void {
    if (stopped || underWay.has(update.key)) return;
    underWay.set(update.key, update);
    void turns.take(update.chatKey, async () => {
      // Another one may have taken it along.
      if (underWay.get(update.key) !== update) return;
      if (!held.has(update.chatKey)) await handleForSure(update);
      for (const [key, by] of underWay) if (by === update) underWay.delete(key);
    });
  }

  function followersOf(update: ChatUpdate): Followers {
    const taken: ChatUpdate[] = [];
    const isNext = (one: ChatUpdate) => one !== update && one.chatKey === update.chatKey;
    return {
      taken: () => taken,
      next: () => [...underWay.values()].find(isNext),
      take(one) {
        underWay.set(one.key, update);
        taken.push(one);
      },
    };
  }

  async function handleForSure(update: ChatUpdate): Promise<void> {
    const followers = followersOf(update);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await handle(update, followers);
        for (const { key } of [update, ...followers.taken()])
          await chatLog.handled(channel, key, clock.now());
        return;
      } catch (error) {
        const curable = error instanceof StudioError && error.retry === 'later';
        const pause = Math.min(backoffMaxMs, backoffMs * 2 ** (attempt - 1));
        const last = !curable || attempt >= handleAttempts || stopped || restMs(error) > pause;
        log[last && !curable ? 'error' : 'warn']('chat.notHandled', {
          ...{ channel, attempt, code: codeOf(error) },
          ...(error instanceof StudioError ? {} : { err: error }),
        });
        if (last && curable) held.set(update.chatKey, performance.now() + restMs(error));
        // A bug of ours must not stop this chat for ever.
        else if (last) await closeQuietly(update);
        if (last) return;
        await wait(pause);
      }
    }
  }

  async function closeQuietly(update: ChatUpdate): Promise<void> {
    await chatLog.handled(channel, update.key, clock.now()).catch(() => {});
  }

  /** @param isDue of the chats that wait; they and what never had its turn are handled. */
  async function replay(isDue: (chatKey: string) => boolean): Promise<void> {
    let open: readonly ChatUpdate[];
    let before: number;
    do {
      before = skipped;
      open = await chatLog.open(channel, replayMax);
    } while (skipped !== before);
    for (const chatKey of [...held.keys()]) if (isDue(chatKey)) held.delete(chatKey);
    for (const update of open) if (!held.has(update.chatKey)) dispatch(update);
  }

  async function retry(isDue: (chatKey: string) => boolean): Promise<void> {
    if (stopped || ![...held.keys()].some(isDue) || !ready()) return;
    await replay(isDue).catch((error) => {
      log.warn('chat.notReplayed', { channel, code: codeOf(error) });
    });
  }

  function catchUp(chatKey?: string): Promise<void> {
    if (chatKey === undefined) return retry(() => true);
    return turns.take(chatKey, () => retry((one) => one === chatKey));
  }

  const isRested = (chatKey: string) => (held.get(chatKey) ?? 0) <= performance.now();

  return {
    receive: (update) =>
      new Promise((done) => {
        waiting.push({ update, done });
        writing ??= write();
      }),
    catchUp,
    async start() {
      await replay(() => true);
      timer = setInterval(() => void retry(isRested), replayMs);
      timer.unref();
    },
    async stop() {
      await writing;
      stopped = true;
      clearInterval(timer);
      await turns.idle();
    },
  };
}

/** How long the other side asked us to wait, ms. */
function restMs(error: unknown): number {
  return (error as { retryAfterMs?: number } | undefined)?.retryAfterMs ?? 0;
}
