import type { CardStatus, Cards } from '../../studio/ports/cards.js';

/** What a run on a card cost. */
export interface RunEnergy {
  /** Absent: the card tells no power, or nobody read it during the run. */
  readonly joules?: number;
  /** Name of the card. */
  readonly card: string;
  /** Its number, the same over restarts. */
  readonly cardId: string;
}

/** Energy of runs and of cards, from readings of their power. */
export interface EnergyMeter {
  /**
   * Energy of a run that has just ended: the mean of the power readings that fell into it times its
   * length. Readings come every few seconds, so a short run often has none and stays unmeasured;
   * which runs are hit is chance, so their mean power is that of all.
   * @param device place in the driver's list. @param seconds of the run. @returns undefined: no such card.
   */
  during(device: number, endMs: number, seconds: number): RunEnergy | undefined;
  /** Energy of each card since the start, idle time included, joules. */
  totals(): readonly { readonly status: CardStatus; readonly joules: number }[];
  close(): void;
}

interface Sample {
  readonly atMs: number;
  readonly powerW: number;
}

interface Track {
  status: CardStatus;
  samples: Sample[];
  joules: number;
}

/** Longer runs than this are not measured over their whole length. */
const keptMs = 15 * 60_000;
/** Over a longer silence of the driver the power is not known. */
const gapMs = 5 * 60_000;

/** Integrates the power that cards tell. */
export function createEnergyMeter(cards: Pick<Cards, 'onReading'>): EnergyMeter {
  const tracks = new Map<string, Track>();

  const close = cards.onReading((all) => {
    for (const status of all) {
      const { uuid, powerW, atMs } = status.reading;
      const track = tracks.get(uuid) ?? { status, samples: [], joules: 0 };
      tracks.set(uuid, track);
      track.status = status;
      const last = track.samples.at(-1);
      // The same reading again: the driver was silent.
      if (powerW === undefined || (last && atMs <= last.atMs)) continue;
      const elapsedMs = last ? atMs - last.atMs : 0;
      if (last && elapsedMs <= gapMs)
        track.joules += (((last.powerW + powerW) / 2) * elapsedMs) / 1000;
      track.samples.push({ atMs, powerW });
      while (track.samples[0]!.atMs < atMs - keptMs) track.samples.shift();
    }
  });

  return {
    during(device, endMs, seconds) {
      const track = [...tracks.values()].find(({ status }) => status.reading.index === device);
      if (!track) return undefined;
      const { name: card, uuid: cardId } = track.status.reading;
      const startMs = endMs - seconds * 1000;
      const inside = track.samples.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
      if (inside.length === 0) return { card, cardId };
      const powerW = inside.reduce((sum, one) => sum + one.powerW, 0) / inside.length;
      return { card, cardId, joules: powerW * seconds };
    },
    totals: () => [...tracks.values()].map(({ status, joules }) => ({ status, joules })),
    close,
  };
}
