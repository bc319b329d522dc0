import type { ChannelId, Clock } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Intent } from './conversation/intent.js';
import { decodeIntent, encodeIntent } from './conversation/intent-codec.js';
import type { Choice } from './conversation/reply.js';

const stateName = 'choices';
/** Nobody remembers tomorrow what 2 stood for today. */
const validMs = 24 * 3_600_000;

interface Offered {
  /** Encoded intents; number 1 is the first. */
  readonly intents: readonly string[];
  readonly untilMs: number;
}

/** What numbers stand for where there are no buttons. */
export interface OfferedChoices {
  /** The last offer of a chat counts. */
  offer(chatId: string, choices: readonly (readonly Choice[])[]): Promise<void>;
  /** @returns undefined for a number that was not offered, or too long ago. */
  chosen(chatId: string, number: number): Promise<Intent | undefined>;
}

/** Keeps per chat what its numbers stand for. */
export function createOfferedChoices(
  { chatLog, clock }: { chatLog: ChatLog; clock: Clock },
  channel: ChannelId,
): OfferedChoices {
  return {
    async offer(chatId, choices) {
      const intents = choices
        .flat()
        .flatMap(({ intent }) => (intent ? [encodeIntent(intent)] : []));
      if (intents.length === 0) return;
      const offered: Offered = { intents, untilMs: clock.now() + validMs };
      await chatLog.setState(channel, chatId, stateName, offered);
    },
    async chosen(chatId, number) {
      const offered = await chatLog.state<Offered>(channel, chatId, stateName);
      if (!offered || offered.untilMs < clock.now()) return undefined;
      const encoded = offered.intents[number - 1];
      return encoded === undefined ? undefined : decodeIntent(encoded);
    },
  };
}
