import { setTimeout as wait } from 'node:timers/promises';
import { StudioError } from '../studio/errors/index.js';
import type { ChannelId, Clock, Logger } from '../studio/ports/basics.js';
import type { ChatLog, ChatUpdate } from '../studio/ports/chat-log.js';
import { Turns } from './turns.js';

const replayMax = 5_000;
const handleAttempts = 5;
const backoffMs = 500;
const backoffMaxMs = 10_000;

export interface Inbox {
  /**
   * Write an update down; resolves when it is durable. Never rejects: while the database is away
   * it waits, which holds back the channel, so that nothing is confirmed that is not ours.
   */
  receive(update: ChatUpdate): Promise<void>;
  /** Handle what a crash left behind, then follow. */
  start(): Promise<void>;
  /** No new work; resolves when what runs is through. */
  stop(): Promise<void>;
}

/**
 * Persist first, answer once: updates that arrive together are written with one commit, repeats
 * are dropped, and each chat's updates are handled one after the other.
 * @param handle may run again for the same update after a crash: its effects have natural keys.
 */
export function createInbox(
  deps: { chatLog: ChatLog; clock: Clock; log: Logger },
  channel: ChannelId,
  handle: (update: ChatUpdate) => Promise<void>,
): Inbox {
  const turns = new Turns();
  const { chatLog, clock, log } = deps;
  let waiting: { update: ChatUpdate; done: () => void }[] = [];
  let writing: Promise<void> | undefined;
  let stopped = false;

  /** One writer; whatever arrives while it writes goes into its next commit. */
  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const fresh = await recordForSure(batch.map(({ update }) => update));
      for (const { done } of batch) done();
      for (const update of fresh) dispatch(update);
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
    if (stopped) return;
    void turns.take(update.chatKey, () => handleForSure(update));
  }

  async function handleForSure(update: ChatUpdate): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await handle(update);
        await chatLog.handled(channel, update.key, clock.now());
        return;
      } catch (error) {
        const curable = error instanceof StudioError && error.retry === 'later';
        const last = !curable || attempt >= handleAttempts || stopped;
        log[last ? 'error' : 'warn']('chat.notHandled', {
          ...{ channel, attempt, code: codeOf(error) },
          ...(error instanceof StudioError ? {} : { err: error }),
        });
        // Left open: the next start tries again. A bug of ours must not stop this chat for ever.
        if (last && !curable) await closeQuietly(update);
        if (last) return;
        await wait(Math.min(backoffMaxMs, backoffMs * 2 ** attempt));
      }
    }
  }

  async function closeQuietly(update: ChatUpdate): Promise<void> {
    await chatLog.handled(channel, update.key, clock.now()).catch(() => {});
  }

  return {
    receive: (update) =>
      new Promise((done) => {
        waiting.push({ update, done });
        writing ??= write().finally(() => {
          writing = undefined;
        });
      }),
    async start() {
      for (const update of await chatLog.open(channel, replayMax)) dispatch(update);
    },
    async stop() {
      await writing;
      stopped = true;
      await turns.idle();
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof StudioError ? error.code : 'UNEXPECTED';
}
