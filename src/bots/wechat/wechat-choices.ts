import type { Clock } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Intent } from '../conversation/intent.js';
import { decodeIntent, encodeIntent } from '../conversation/intent-codec.js';
import type { Choice, Reply } from '../conversation/reply.js';

const stateName = 'choices';
/** Nobody remembers tomorrow what 2 stood for today. */
const validMs = 24 * 3_600_000;

interface Offered {
  /** Encoded intents; number 1 is the first. */
  readonly intents: readonly string[];
  readonly untilMs: number;
}

/** Buttons as lines: `1 高清`, and pages as `付款页: https://...`. */
export function inLines(reply: Reply, say: (numbers: string) => string): string {
  const choices = reply.choices?.flat() ?? [];
  const numbered = choices.filter((one) => one.intent);
  const links = choices.filter((one) => one.url).map((one) => `${one.label}: ${one.url}`);
  const lines = numbered
    .map((one, i) => ({ number: String(i + 1), label: one.label }))
    // Three looks in one picture are called 1, 2 and 3 already.
    .filter(({ number, label }) => label !== number)
    .map(({ number, label }) => `${number} ${label}`);
  const numbers = numbered.map((_, i) => i + 1).join(' / ');
  const offer = numbered.length > 0 ? [say(numbers), ...lines] : [];
  return [reply.text, ...links, ...offer].filter((line) => line !== '').join('\n');
}

/** What the numbers stand for, per chat: the last offer counts. */
export function createWechatChoices({ chatLog, clock }: { chatLog: ChatLog; clock: Clock }) {
  return {
    async offer(chatId: string, choices: readonly (readonly Choice[])[]): Promise<void> {
      const intents = choices
        .flat()
        .flatMap(({ intent }) => (intent ? [encodeIntent(intent)] : []));
      if (intents.length === 0) return;
      const offered: Offered = { intents, untilMs: clock.now() + validMs };
      await chatLog.setState('wechat', chatId, stateName, offered);
    },
    /** @returns undefined for a number that was not offered, or too long ago. */
    async chosen(chatId: string, number: number): Promise<Intent | undefined> {
      const offered = await chatLog.state<Offered>('wechat', chatId, stateName);
      if (!offered || offered.untilMs < clock.now()) return undefined;
      const encoded = offered.intents[number - 1];
      return encoded === undefined ? undefined : decodeIntent(encoded);
    },
  };
}

export type WechatChoices = ReturnType<typeof createWechatChoices>;
