import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../studio/ports/basics.js';
import type { ChatUpdate } from '../studio/ports/chat-log.js';
import type { Intent } from './conversation/intent.js';
import { parseText } from './conversation/parse-text.js';
import type { Followers } from './inbox.js';

/** However long somebody goes on, an answer begins after so many pauses. */
const pausesMax = 4;
/** So many answers to words in one window; a person needs a tenth of it. */
const answersMax = 30;
const windowMs = 600_000;

/** The words of an update; undefined for photos, choices and whatever is not only said. */
export type WordsOf = (update: ChatUpdate) => Promise<string | undefined>;

/**
 * What one person says within seconds is one thing: waits until they pause, and takes what came
 * meanwhile.
 * @returns all that was said, in order.
 */
export async function wordsTogether(
  first: string,
  followers: Followers,
  pauseMs: number,
  wordsOf: WordsOf,
): Promise<string[]> {
  const said = [first];
  for (const update of followers.taken()) said.push((await wordsOf(update)) ?? '');
  for (let pause = 0; pause < pausesMax; pause += 1) {
    await wait(pauseMs);
    const before = said.length;
    for (let next = followers.next(); next; next = followers.next()) {
      const words = await wordsOf(next);
      if (words === undefined) break;
      followers.take(next);
      said.push(words);
    }
    if (said.length === before) break;
  }
  return said;
}

/** The one answer that several lines get: the last wish among them, over all of their words. */
export function intentOf(said: readonly string[]): Intent {
  const text = said.join('\n');
  const wish = said.map(parseText).findLast(({ kind }) => kind !== 'text');
  if (!wish) return { kind: 'text', text };
  const isWords = wish.kind === 'wish' || wish.kind === 'refund';
  return isWords ? { ...wish, text } : wish;
}

/** Counts a chat's answers to words. @returns how the next one stands. */
export function createWordLimit({ clock }: { clock: Clock }) {
  const counts = new Map<string, { sinceMs: number; answers: number }>();
  return (chatId: string): 'answer' | 'last' | 'silent' => {
    const now = clock.now();
    for (const [chat, { sinceMs }] of counts)
      if (Math.abs(now - sinceMs) >= windowMs) counts.delete(chat);
    const count = counts.get(chatId) ?? { sinceMs: now, answers: 0 };
    count.answers += 1;
    counts.set(chatId, count);
    if (count.answers <= answersMax) return 'answer';
    return count.answers === answersMax + 1 ? 'last' : 'silent';
  };
}
