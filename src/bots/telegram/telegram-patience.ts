import { readFault, type TelegramFault } from './telegram-fault.js';

/** Why we are not connected. */
export type Absence = 'away' | 'refused' | 'conflict';

/** Doubling pauses, ms. */
interface Pauses {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * A line that is back is noticed soon. A token that is refused, or another program that polls with
 * it, does not change by asking often.
 */
const pauses: Readonly<Record<Absence, Pauses>> = {
  away: { firstMs: 1_000, maxMs: 5_000 },
  refused: { firstMs: 5_000, maxMs: 300_000 },
  conflict: { firstMs: 5_000, maxMs: 300_000 },
};

/** Why Telegram is not there; @see https://core.telegram.org/bots/api#making-requests */
function absenceOf({ code }: TelegramFault): Absence {
  // 404: a token of the right shape that no bot has.
  if (code === 401 || code === 404) return 'refused';
  return code === 409 ? 'conflict' : 'away';
}

/** How long to wait after the next failure. */
export class Patience {
  private readonly failures = new Map<Absence, number>();

  /** @returns what happened, and the pause: longer each time until `reset`. */
  after(error: unknown): { absence: Absence; code: number | undefined; pauseMs: number } {
    const fault = readFault(error);
    const absence = absenceOf(fault);
    const before = this.failures.get(absence) ?? 0;
    this.failures.set(absence, before + 1);
    const { firstMs, maxMs } = pauses[absence];
    const pauseMs = Math.max(fault.retryAfterMs ?? 0, Math.min(maxMs, firstMs * 2 ** before));
    return { absence, code: fault.code, pauseMs };
  }

  /** The connection proved itself: only its own word counts, not that it was begun. */
  reset(): void {
    this.failures.clear();
  }
}
