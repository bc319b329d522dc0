import type { CardStatus } from '../../studio/ports/cards.js';
import type { ResultNote } from '../../studio/ports/colorizer.js';
import { type CardGate, type CardPass, stoppedNote } from '../gpu/card-gate.js';
import type { HostEvent } from './types.js';
import type { WarmSession } from './warm-session.js';

/** The host's side of a card's guard. */
export interface GuardedCard {
  /** @see CardGate.enter */
  enter(signal?: AbortSignal): Promise<CardPass>;
  /** Asked before a model is loaded: a load runs a small inference. */
  mayLoad(): Promise<boolean>;
  mayTakeWork(): boolean;
  fellBack(): boolean;
  /** Work that is broken off when the card gets too hot: its process is ended. */
  using<T>(work: () => Promise<T>): Promise<T>;
  /** The last work was broken off; asked once. */
  brokenOff(): ResultNote | undefined;
  /** Nobody waits for the card any more. */
  letGo(): void;
  close(): void;
}

/**
 * Join a card's gate to the session that works on it. A session that fell back to the processor
 * does not warm the card: nothing holds it up.
 */
export function guardCard(
  gate: CardGate | undefined,
  session: WarmSession,
  providers: readonly string[],
  emit: (event: HostEvent) => void,
): GuardedCard {
  let using = 0;
  let stopped: CardStatus | undefined;
  const wantsCard = providers.some((name) => name !== 'cpu');
  const fellBack = () => {
    const { loaded } = session;
    return wantsCard && loaded?.cpuOnly === false && loaded.result.contract.provider === 'cpu';
  };

  const unlisten = gate?.onStop((status) => {
    if (using === 0 || fellBack()) return;
    stopped = status;
    const { name, temperatureC } = status.reading;
    emit({
      name: 'cardStopped',
      card: name,
      ...(temperatureC === undefined ? {} : { temperatureC }),
    });
    void session.recycle();
  });

  return {
    enter: async (signal) => {
      if (!gate || fellBack()) return { cpuOnly: false, notes: [] };
      return gate.enter(signal);
    },
    mayLoad: async () => {
      await gate?.known();
      return !gate || fellBack() || gate.cardMayWork();
    },
    fellBack,
    mayTakeWork: () => !gate || fellBack() || gate.mayTakeWork(),
    using: async (work) => {
      using += 1;
      try {
        return await work();
      } finally {
        using -= 1;
      }
    },
    brokenOff: () => {
      const status = stopped;
      stopped = undefined;
      return status && stoppedNote(status);
    },
    letGo: () => gate?.close(),
    close: () => unlisten?.(),
  };
}
