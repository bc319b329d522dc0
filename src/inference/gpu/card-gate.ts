import { Cancelled, CardPaused } from '../../studio/errors/index.js';
import type { CardStatus, Cards } from '../../studio/ports/cards.js';
import type { ResultNote } from '../../studio/ports/colorizer.js';

/** Which card is guarded, and what happens while it rests. */
export interface CardGateConfig {
  /** The card's uuid (or its beginning), or its place among all cards. */
  readonly card: string | number;
  /** The processor does what a resting card may not; asked each time where it depends on others. */
  readonly allowCpu: boolean | (() => boolean);
  /** `wait` until the card may work; `refuse` with CardPaused, so that others can take the job. */
  readonly whenPaused: 'wait' | 'refuse';
}

/** How an inference may run now. */
export interface CardPass {
  readonly cpuOnly: boolean;
  readonly notes: readonly ResultNote[];
}

/** Stands between the inference host and its card. */
export interface CardGate {
  /** Asked before each inference. @throws {CardPaused | Cancelled} */
  enter(signal?: AbortSignal): Promise<CardPass>;
  /** Resolves when the card has been read once. */
  known(): Promise<void>;
  /** The card alone, the processor not counted. */
  cardMayWork(): boolean;
  /** Whether work should be taken at all. */
  mayTakeWork(): boolean;
  /** What runs on the card must be broken off. @returns unsubscribe. */
  onStop(listener: (status: CardStatus) => void): () => void;
  /** The guarded card, as it was last read. */
  status(): CardStatus | undefined;
  /** Lets whoever waits go with Cancelled. */
  close(): void;
}

/** @param deps.onWait told once for each wait that begins. */
export function createCardGate(
  { cards, onWait }: { cards: Cards; onWait?: (status: CardStatus | undefined) => void },
  config: CardGateConfig,
): CardGate {
  const closing = new AbortController();
  const { card, whenPaused } = config;
  const allowCpu = () =>
    typeof config.allowCpu === 'function' ? config.allowCpu() : config.allowCpu;

  const status = () =>
    cards
      .status()
      .find(({ reading }) =>
        typeof card === 'number' ? reading.index === card : reading.uuid.startsWith(card),
      );

  function cardMayWork(): boolean {
    const now = status();
    return now === undefined || cards.mayWork(now.reading.index);
  }

  async function enter(signal?: AbortSignal): Promise<CardPass> {
    await cards.start();
    if (cardMayWork()) return { cpuOnly: false, notes: [] };
    const now = status();
    if (allowCpu()) return { cpuOnly: true, notes: [movedNote(now)] };
    if (whenPaused === 'refuse') throw pausedError(now);
    onWait?.(now);
    await cool(AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]));
    return { cpuOnly: false, notes: [{ key: 'inference.cardWaited', params: cardParams(now) }] };
  }

  function cool(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      // Polls do not keep a process alive; somebody who waits for them does.
      const alive = setInterval(() => {}, 60_000);
      const look = () => {
        if (signal.aborted) end(() => reject(new Cancelled()));
        else if (cardMayWork()) end(resolve);
      };
      const unlisten = cards.onReading(look);
      const end = (settle: () => void) => {
        clearInterval(alive);
        unlisten();
        signal.removeEventListener('abort', look);
        settle();
      };
      signal.addEventListener('abort', look);
      look();
    });
  }

  return {
    enter,
    known: () => cards.start(),
    cardMayWork,
    mayTakeWork: () => allowCpu() || cardMayWork(),
    onStop: (listener) =>
      cards.onChange((change) => {
        const { reading, state } = change.status;
        if (state === 'stopped' && reading.uuid === status()?.reading.uuid) listener(change.status);
      }),
    status,
    close: () => closing.abort(),
  };
}

/** What ran on the card was broken off. */
export function stoppedNote(status: CardStatus): ResultNote {
  return { key: 'inference.cardStopped', params: cardParams(status) };
}

function movedNote(status: CardStatus | undefined): ResultNote {
  const key = status?.reason === 'silent' ? 'inference.cardSilentCpu' : 'inference.cardHotCpu';
  return { key, params: cardParams(status) };
}

function pausedError(status: CardStatus | undefined): CardPaused {
  const { card, temperatureC } = cardParams(status);
  return new CardPaused(card, temperatureC);
}

function cardParams(status: CardStatus | undefined) {
  const { name, temperatureC } = status?.reading ?? {};
  return { card: name ?? '?', temperatureC: temperatureC ?? '?' };
}
