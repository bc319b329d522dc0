import { setTimeout as wait } from 'node:timers/promises';
import { ChannelAway, StudioError } from '../studio/errors/index.js';
import type { ChatRef } from '../studio/jobs.js';
import { type Clock, chatChannelNames, type Logger } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Actor, Operator } from '../studio/ports/operator.js';
import type { Reply } from './conversation/reply.js';
import type { Text } from './desk-reports.js';

/** Whoever was not seen for longer is left alone. */
const seenWithinMs = 90 * 86_400_000;
/** Well under every channel's own pace: customers' own conversations go first. */
const intervalMs = 250;
const awayMs = 30_000;
const stateName = 'broadcast';

interface Broadcast {
  readonly desk: ChatRef;
  readonly words: string;
  readonly key: string;
  readonly sinceMs: number;
}

/** The operator's words to everybody. */
export interface Broadcasts {
  /** Write it down, then send it in the background. @returns to how many chats. */
  begin(by: Actor, desk: ChatRef, words: string, key: string): Promise<number>;
  /** Go on with what a restart cut off. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One message to everybody of the operator's own channel, once each, whatever happens. */
export function createBroadcasts(deps: {
  operator: Operator;
  chatLog: ChatLog;
  clock: Clock;
  log: Logger;
  say: (chat: ChatRef, reply: Reply) => Promise<void>;
  text: Text;
}): Broadcasts {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  function run(one: Broadcast): void {
    const work = sendToAll(one)
      .catch((error) => deps.log.error('desk.broadcast', { err: error }))
      .finally(() => running.delete(work));
    running.add(work);
  }

  async function sendToAll({ desk, words, key, sinceMs }: Broadcast): Promise<void> {
    const to = await deps.operator.chats(desk.channel, sinceMs);
    let reached = 0;
    for (const chat of to) {
      if (await sent(chat, { key: `broadcast:${key}`, text: words, once: true })) reached += 1;
      if (stopping.signal.aborted) return;
    }
    deps.log.info('desk.broadcastDone', { reached, of: to.length });
    await deps.say(desk, { key: `done:${key}`, text: deps.text('broadcastDone', { reached }) });
    await deps.chatLog.setState(desk.channel, key, stateName, undefined);
  }

  /** @returns false for chats that blocked us or are no more. */
  async function sent(chat: ChatRef, reply: Reply): Promise<boolean> {
    while (!stopping.signal.aborted) {
      try {
        await deps.say(chat, reply);
        await pause(intervalMs);
        return true;
      } catch (error) {
        if (!(error instanceof StudioError)) throw error;
        if (error.retry !== 'later') return false;
        await pause((error instanceof ChannelAway && error.retryAfterMs) || awayMs);
      }
    }
    return false;
  }

  const pause = (ms: number) =>
    wait(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => {});

  return {
    async begin(by, desk, words, key) {
      const sinceMs = deps.clock.now() - seenWithinMs;
      const to = await deps.operator.beginBroadcast(by, desk.channel, sinceMs, key);
      const one: Broadcast = { desk, words, key, sinceMs };
      await deps.chatLog.setState(desk.channel, key, stateName, one);
      run(one);
      return to.length;
    },
    async start() {
      for (const channel of chatChannelNames)
        for (const { value } of await deps.chatLog.withState<Broadcast>(channel, stateName, 10))
          run(value);
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
