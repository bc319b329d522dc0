import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { Door, Incoming, Inward } from './door.js';
import type { Inbox } from './inbox.js';
import type { SaidBudget } from './said-budget.js';
import { Turns } from './turns.js';

const backoffMs = 500;
const backoffMaxMs = 10_000;

/** Where a door hands what arrives: into the channel's inbox, with a new budget where there is one. */
export function createInward(
  deps: { inbox: Inbox; budget: SaidBudget; clock: Clock; log: Logger },
  { id: channel, abilities }: Pick<Door, 'id' | 'abilities'>,
): Inward {
  const { inbox, budget, clock, log } = deps;
  const turns = new Turns();

  const record = ({ key, chatKey, payload }: Incoming) =>
    inbox.receive({ channel, key, chatKey, payload, receivedMs: clock.now() });

  /** As the inbox does, it waits while the database is away. */
  async function renewForSure({ chatKey, key }: Incoming): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await budget.renew(chatKey, key);
      } catch {
        log.warn('chat.budgetNotRenewed', { channel, attempt });
        await wait(Math.min(backoffMaxMs, backoffMs * 2 ** attempt));
      }
    }
  }

  /** Renewed before anything is handled: what waited for the person's next word is said first. */
  async function recordAndRenew(incoming: Incoming): Promise<void> {
    if (incoming.renewsBudget !== false) await renewForSure(incoming);
    await record(incoming);
    void inbox.catchUp(incoming.chatKey);
  }

  return {
    receive: abilities.budget
      ? (incoming) => turns.take(incoming.chatKey, () => recordAndRenew(incoming))
      : record,
    open: inbox.start,
    catchUp: () => inbox.catchUp(),
  };
}
