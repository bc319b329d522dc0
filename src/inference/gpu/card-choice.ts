import type { CardStatus } from '../../studio/ports/cards.js';

/** What the pool asks of a card and of the process that works on it. */
export interface PoolMember {
  /** The card alone; the processor not counted. */
  cardMayWork(): boolean;
  /** The card, or the processor in its place. */
  mayTakeWork(): boolean;
  /** The card is wanted, and the processor is what works. */
  fellBack(): boolean;
  /** As it was last read; undefined: nobody watches it. */
  status(): CardStatus | undefined;
}

/** A card's place in a pool. */
export interface Seat<M> {
  readonly member: M;
  /** Photos it holds: one that is worked on, one that is being decoded meanwhile. */
  busy: number;
  /** The network alone, smoothed; absent: not measured yet. */
  seconds?: number;
  /** Photos running that failed here and succeeded elsewhere. */
  strikes: number;
  /** Left out for the rest of the run. */
  out: boolean;
}

/** The second one is decoded while the first is coloured; a third would only wait. */
const photosPerCard = 2;

/**
 * The card that takes the next photo: the fastest free one, else the one that will be done with it
 * first, if it has room. A slow card never takes a photo ahead while it is busy, where a fast one
 * would have done it sooner.
 * @param seats that may be asked at all. @returns undefined: wait.
 */
export function chooseSeat<M extends PoolMember>(seats: readonly Seat<M>[]): Seat<M> | undefined {
  const onCard = seats.filter(({ member }) => !member.fellBack() && member.cardMayWork());
  // The processor has one place, however many cards rest.
  const processor = seats.filter(({ member }) => member.mayTakeWork()).slice(0, 1);
  const able = onCard.length > 0 ? onCard : processor;
  const free = able.filter(({ busy }) => busy === 0);
  const best = soonest(free.length > 0 ? free : able);
  return best && best.busy < photosPerCard ? best : undefined;
}

/** What was never measured comes first: it is measured then. */
function soonest<M>(seats: readonly Seat<M>[]): Seat<M> | undefined {
  const until = ({ busy, seconds = 0 }: Seat<M>) => (busy + 1) * seconds;
  return [...seats].sort((a, b) => until(a) - until(b) || a.busy - b.busy)[0];
}

/** The newest measurement counts for a third: a card that gets warm gets slower. */
export function smoothed(before: number | undefined, seconds: number): number {
  return before === undefined ? seconds : before + (seconds - before) / 3;
}
