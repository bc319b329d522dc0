import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { CardChange, CardReading, CardStatus, Cards } from '../../studio/ports/cards.js';
import { boundsOf, type GuardRules, type GuardState, mayWork, observe, UNREAD } from './guard.js';
import { type CardReader, createNvidiaReader, type Readings } from './nvidia.js';
import { createRocmReader } from './rocm.js';

/** Programs that read the cards, and how often they are asked; times in ms. */
export interface CardsConfig extends GuardRules {
  readonly nvidiaSmi: string;
  readonly rocmSmi: string;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

/** What watching cards needs. */
export interface CardsDeps {
  readonly clock: Clock;
  readonly logger?: Logger;
}

interface Watched {
  reading: CardReading;
  guard: GuardState;
  sinceMs: number;
}

/**
 * Reads this machine's cards in turns and decides whether they may work. Every vendor's driver may
 * be missing, hang, fail or lose a card: that is a state of its cards, never an error.
 */
export function createCards(deps: CardsDeps, config: CardsConfig): Cards {
  const readers = [createNvidiaReader(config), createRocmReader(config)];
  const known = new Map<string, Watched>();
  const listeners = new Set<(change: CardChange) => void>();
  const readingListeners = new Set<(cards: readonly CardStatus[]) => void>();
  const report = createFaultReport(deps.logger);
  let started: Promise<void> | undefined;
  let polling: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function poll(): Promise<void> {
    const atMs = deps.clock.now();
    const answers = await Promise.all(readers.map((reader) => readSafely(reader, atMs)));
    if (closed) return;
    report(answers);
    const readings = inOneRow(answers);
    for (const reading of readings) take(reading.uuid, reading);
    const told = new Set(readings.map((reading) => reading.uuid));
    for (const uuid of known.keys()) if (!told.has(uuid)) take(uuid, undefined);
    for (const listener of readingListeners) listener(status());
  }

  function take(uuid: string, reading: CardReading | undefined): void {
    const before = known.get(uuid);
    const shown = reading ?? before?.reading;
    if (!shown) return;
    const bounds = boundsOf(config, shown.slowdownC);
    const was = before?.guard ?? UNREAD;
    const guard = observe(was, reading, bounds, config, performance.now());
    const changed = guard.state !== was.state;
    const sinceMs = changed || !before ? deps.clock.now() : before.sinceMs;
    const watched = { reading: shown, guard, sinceMs };
    known.set(uuid, watched);
    // The first reading of a healthy card is no news.
    if (!changed || (!before && guard.state === 'working')) return;
    announce({ status: statusOf(watched, config), from: was.state });
  }

  function announce(change: CardChange): void {
    const { reading, state, reason } = change.status;
    const { name, temperatureC } = reading;
    const fields = { card: reading.uuid, name, from: change.from, state, reason, temperatureC };
    if (state === 'working') deps.logger?.info('card.working', fields);
    else deps.logger?.warn(`card.${state}`, fields);
    for (const listener of listeners) listener(change);
  }

  function repeat(): void {
    if (closed) return;
    timer = setTimeout(() => {
      polling = poll().finally(repeat);
    }, config.pollMs);
    timer.unref();
  }

  const status = () =>
    [...known.values()]
      .sort((a, b) => a.reading.index - b.reading.index)
      .map((card) => statusOf(card, config));

  return {
    status,
    mayWork: (deviceIndex) => {
      const card = [...known.values()].find((one) => one.reading.index === deviceIndex);
      return card === undefined || mayWork(card.guard);
    },
    onChange: (listener) => subscribe(listeners, listener),
    onReading: (listener) => subscribe(readingListeners, listener),
    start: () => {
      started ??= poll().finally(repeat);
      return started;
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await Promise.all([started, polling]);
    },
  };
}

/** Cards where nobody watches: none, and everything may work. */
export function noCards(): Cards {
  const nothing = async () => {};
  const never = () => () => {};
  return {
    status: () => [],
    mayWork: () => true,
    onChange: never,
    onReading: never,
    start: nothing,
    close: nothing,
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

async function readSafely(reader: CardReader, atMs: number): Promise<Readings> {
  try {
    return await reader.read(atMs);
  } catch (error) {
    return { kind: 'fault', fault: 'other', reason: String(error) };
  }
}

/** AMD's cards count on after NVIDIA's. A card that is lost keeps the others' places. */
function inOneRow(answers: readonly Readings[]): CardReading[] {
  let first = 0;
  return answers.flatMap((answer) => {
    if (answer.kind !== 'cards') return [];
    const cards = answer.cards.map((card) => ({ ...card, index: first + card.index }));
    first = Math.max(first, ...cards.map((card) => card.index + 1));
    return cards;
  });
}

function statusOf({ reading, guard, sinceMs }: Watched, rules: GuardRules): CardStatus {
  const { state, reason, pauses } = guard;
  const bounds = boundsOf(rules, reading.slowdownC);
  return { reading, state, ...(reason ? { reason } : {}), sinceMs, pauses, bounds };
}

/** A driver's fault is logged when it begins and when it ends, not at every poll. */
function createFaultReport(logger: Logger | undefined) {
  let last = '';
  return (answers: readonly Readings[]): void => {
    const faults = answers.flatMap((answer) => (answer.kind === 'fault' ? [answer] : []));
    const now = faults.map(({ fault, reason }) => `${fault}: ${reason}`).join('; ');
    if (now === last) return;
    if (now) logger?.warn('cards.unreadable', { reason: now });
    else logger?.info('cards.readable', {});
    last = now;
  };
}
