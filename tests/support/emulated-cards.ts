import type { CardReading, CardStatus, Cards } from '../../src/studio/ports/cards.js';

const reading: CardReading = {
  ...{ uuid: 'GPU-1', index: 0, name: 'NVIDIA GeForce GTX 1060 6GB', vendor: 'nvidia' },
  ...{ thermalSlowdown: false, atMs: 0 },
};

/** A card as a test wants it. */
export function cardStatus(
  facts: Partial<CardReading> = {},
  status: Partial<Omit<CardStatus, 'reading'>> = {},
): CardStatus {
  return {
    ...{ state: 'working', sinceMs: 0, pauses: 0 },
    bounds: { pauseC: 83, resumeC: 73, stopC: 90 },
    ...status,
    reading: { ...reading, ...facts },
  };
}

type Listening = Pick<Cards, 'status' | 'onChange' | 'onReading'>;

/** Cards whose driver is the test: `tell` is one poll. */
export function emulateCards(): Listening & { tell(...cards: CardStatus[]): void } {
  let all: readonly CardStatus[] = [];
  const changes = new Set<Parameters<Cards['onChange']>[0]>();
  const readings = new Set<Parameters<Cards['onReading']>[0]>();
  const listen =
    <T>(set: Set<T>) =>
    (listener: T) => {
      set.add(listener);
      return () => void set.delete(listener);
    };
  return {
    status: () => all,
    onChange: listen(changes),
    onReading: listen(readings),
    tell: (...cards) => {
      const before = new Map(all.map((one) => [one.reading.uuid, one.state]));
      all = cards;
      for (const status of cards) {
        const from = before.get(status.reading.uuid) ?? status.state;
        if (from !== status.state) for (const one of changes) one({ status, from });
      }
      for (const one of readings) one(all);
    },
  };
}
