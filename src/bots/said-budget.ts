import { ChannelAway } from '../studio/errors/index.js';
import type { ChannelId, Clock } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Budget } from './abilities.js';

const stateName = 'budget';
/** Until the person speaks again, nothing can be said: asked again seldom. */
const retryMs = 600_000;

interface Spent {
  /** Natural key of the person's last message. */
  readonly key: string;
  readonly heardMs: number;
  /** Messages of ours since. */
  readonly said: number;
}

/** What may still be said in a chat, for channels that let us answer only. */
export interface SaidBudget {
  /** The person spoke; a repeat of the same message gives nothing. */
  renew(chatId: string, key: string): Promise<void>;
  /** Messages left until the person speaks again. */
  left(chatId: string): Promise<number>;
  /** @throws {ChannelAway} none is left: it is said after the person's next word. */
  require(chatId: string): Promise<void>;
  /** Count one. @throws {ChannelAway} as above. */
  spend(chatId: string): Promise<void>;
}

/** Counts durably: a restart gives nothing back. */
export function createSaidBudget(
  { chatLog, clock }: { chatLog: ChatLog; clock: Clock },
  channel: ChannelId,
  budget: Budget | undefined,
): SaidBudget {
  if (!budget) return unlimited;
  const read = (chatId: string) => chatLog.state<Spent>(channel, chatId, stateName);
  const write = (chatId: string, spent: Spent) =>
    chatLog.setState(channel, chatId, stateName, spent);
  const leftOf = (spent: Spent | undefined): number =>
    spent && clock.now() - spent.heardMs < budget.withinMs
      ? Math.max(0, budget.messages - spent.said)
      : 0;
  async function required(chatId: string): Promise<Spent> {
    const spent = await read(chatId);
    if (!spent || leftOf(spent) === 0) throw new ChannelAway(channel, retryMs);
    return spent;
  }

  return {
    async renew(chatId, key) {
      if ((await read(chatId))?.key === key) return;
      await write(chatId, { key, heardMs: clock.now(), said: 0 });
    },
    left: async (chatId) => leftOf(await read(chatId)),
    require: async (chatId) => void (await required(chatId)),
    async spend(chatId) {
      const spent = await required(chatId);
      await write(chatId, { ...spent, said: spent.said + 1 });
    },
  };
}

const unlimited: SaidBudget = {
  renew: async () => {},
  left: async () => Number.POSITIVE_INFINITY,
  require: async () => {},
  spend: async () => {},
};
