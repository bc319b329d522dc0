import type { Telegram } from 'telegraf';
import { callWithin } from './telegram-deadline.js';
import type { TelegramUpdate } from './telegram-update.js';

const updatesMax = 100;
/** Confirming the last updates when we stop: Telegram repeats them else, which is harmless. */
const confirmMs = 3_000;

/** How a poll is held, ms. */
export interface PollingConfig {
  /** The server answers after this at the latest, with nothing. */
  readonly holdMs: number;
  /** So much longer an answer may be on its way; then the poll is abandoned. */
  readonly graceMs: number;
}

/**
 * Long polling in which no poll outlives its answer: one that hangs (a connection that only this
 * side believes in) is abandoned, and the caller begins anew. Ends when `signal` aborts.
 * @param offset the first update that was not received yet; counted on.
 * @param hooks `answered` after every poll; `receive` resolves when an update is written down.
 * @throws what telegraf throws, or an error without a response when no answer came in time.
 */
export async function followUpdates(
  telegram: Telegram,
  offset: { next: number },
  config: PollingConfig & { readonly allowedUpdates: readonly string[] },
  hooks: {
    readonly answered: () => void;
    readonly receive: (update: TelegramUpdate) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  /** Seconds; the first poll is not held: its answer says that the connection is there. */
  let timeout = 0;
  while (!signal.aborted) {
    const ask = { timeout, offset: offset.next, allowed_updates: config.allowedUpdates };
    const ms = timeout * 1_000 + config.graceMs;
    let updates: readonly TelegramUpdate[];
    try {
      updates = await callWithin(telegram, 'getUpdates', ask, { ms, signal });
    } catch (error) {
      if (signal.aborted) break;
      throw error;
    }
    hooks.answered();
    await Promise.all(updates.map(hooks.receive));
    const last = updates.at(-1);
    if (last) offset.next = last.update_id + 1;
    timeout = updates.length === updatesMax ? 0 : config.holdMs / 1_000;
  }
  const confirm = { offset: offset.next, limit: 1, timeout: 0 };
  await callWithin(telegram, 'getUpdates', confirm, { ms: confirmMs }).catch(() => {});
}
