import { Cancelled, CardPaused, codeOf } from '../../studio/errors/index.js';
import type { CardStatus, Cards } from '../../studio/ports/cards.js';
import type { ResultNote } from '../../studio/ports/colorizer.js';
import { chooseSeat, type PoolMember, type Seat, smoothed } from './card-choice.js';

/** `died`: its process ended again and again. `fellBack`: no provider works on it. */
export type LeftOutReason = 'died' | 'fellBack';

/** What a pool watches and tells. */
export interface CardPoolDeps {
  readonly cards: Pick<Cards, 'onReading'>;
  /** Told once for each time in which every card rests and somebody waits. */
  readonly onWait?: (resting: readonly CardStatus[]) => void;
}

/** Told what becomes of the pool's members. */
export interface PoolListener<M> {
  /** For the rest of the run; the last one never is. */
  readonly onLeftOut?: (member: M, reason: LeftOutReason) => void;
}

/** Several cards that share work. */
export interface CardPool<M> {
  /**
   * Do work on the card that will have done it first. What a card cannot do goes to another one:
   * where it got too hot, where its process died, where its memory did not suffice.
   * @param options.seconds how long the card took, of an answer; absent: the work is no measure.
   * @throws what the work throws on the last card there is, and Cancelled.
   */
  use<T>(
    work: (member: M) => Promise<T>,
    options?: { signal?: AbortSignal; seconds?: (answer: T) => number },
  ): Promise<{ readonly answer: T; readonly notes: readonly ResultNote[] }>;
  /** Lets whoever waits go with Cancelled. */
  close(): void;
}

/** Photos that fail on one card and succeed on another before the card is left out. */
const maxStrikes = 2;

interface Waiter<M> {
  readonly failed: readonly Seat<M>[];
  /** Why the last card failed. */
  readonly error: unknown;
  readonly resolve: (seat: Seat<M>) => void;
  readonly reject: (error: unknown) => void;
  /** A card that rested while nothing else could be done. */
  rested?: CardStatus;
}

/** Several cards as one: each has its own process, its own guard, its own size. */
export function createCardPool<M extends PoolMember>(
  deps: CardPoolDeps,
  members: readonly M[],
  listener: PoolListener<M> = {},
): CardPool<M> {
  return new Pool(deps, members, listener);
}

class Pool<M extends PoolMember> implements CardPool<M> {
  private readonly seats: Seat<M>[];
  private readonly waiters: Waiter<M>[] = [];
  private readonly unlisten: () => void;
  private alive: NodeJS.Timeout | undefined;
  private resting = false;

  constructor(
    private readonly deps: CardPoolDeps,
    members: readonly M[],
    private readonly listener: PoolListener<M>,
  ) {
    this.seats = members.map((member) => ({ member, busy: 0, strikes: 0, out: false }));
    this.unlisten = deps.cards.onReading(() => this.admit());
  }

  async use<T>(
    work: (member: M) => Promise<T>,
    { signal, seconds }: { signal?: AbortSignal; seconds?: (answer: T) => number } = {},
  ) {
    const failed: Seat<M>[] = [];
    const left: { readonly seat: Seat<M>; readonly note: ResultNote }[] = [];
    let error: unknown;
    for (;;) {
      const { seat, rested } = await this.enter(failed, error, signal);
      if (rested) left.push({ seat, note: cardNote('inference.cardWaited', rested.reading) });
      try {
        const answer = await work(seat.member);
        if (seconds) seat.seconds = smoothed(seat.seconds, seconds(answer));
        seat.strikes = 0;
        for (const one of failed) this.strike(one);
        const notes = left.filter((one) => keeps(one, seat)).map(({ note }) => note);
        return { answer, notes };
      } catch (thrown) {
        if (thrown instanceof CardPaused)
          left.push({ seat, note: movedNote('inference.cardMoved', thrown) });
        else if (isOfCard(thrown) && this.others(seat, failed)) {
          failed.push(seat);
          error = thrown;
          const params = { card: seat.member.status()?.reading.name ?? '?' };
          left.push({ seat, note: { key: 'inference.cardFailed', params } });
        } else throw thrown;
      } finally {
        seat.busy -= 1;
        this.admit();
      }
    }
  }

  close(): void {
    this.unlisten();
    for (const { reject } of this.waiters.splice(0)) reject(new Cancelled());
    this.keepAlive();
  }

  private others(seat: Seat<M>, failed: readonly Seat<M>[]): boolean {
    return this.seats.some((one) => one !== seat && !one.out && !failed.includes(one));
  }

  private enter(failed: readonly Seat<M>[], error: unknown, signal?: AbortSignal) {
    return new Promise<{ seat: Seat<M>; rested?: CardStatus }>((resolve, reject) => {
      const abort = () => {
        const at = this.waiters.indexOf(waiter);
        if (at >= 0) this.waiters.splice(at, 1);
        this.keepAlive();
        reject(new Cancelled());
      };
      const waiter: Waiter<M> = {
        ...{ failed, error, reject },
        resolve: (seat) => {
          signal?.removeEventListener('abort', abort);
          resolve({ seat, ...(waiter.rested ? { rested: waiter.rested } : {}) });
        },
      };
      if (signal?.aborted) return reject(new Cancelled());
      signal?.addEventListener('abort', abort, { once: true });
      this.waiters.push(waiter);
      this.admit();
    });
  }

  /** Whoever came first, as far as there is a card for it. */
  private admit(): void {
    for (const waiter of [...this.waiters]) {
      this.dropFallen();
      const seats = this.seats.filter((seat) => !seat.out && !waiter.failed.includes(seat));
      const seat = chooseSeat(seats);
      if (!seat && seats.length > 0) continue;
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      if (seat) {
        seat.busy += 1;
        this.resting = false;
        waiter.resolve(seat);
      } else waiter.reject(waiter.error);
    }
    this.tellRest();
    this.keepAlive();
  }

  /** A card without a provider that works is none: one process on the processor is enough. */
  private dropFallen(): void {
    const seats = this.seats.filter((seat) => !seat.out);
    const fallen = seats.filter(({ member }) => member.fellBack());
    const kept = fallen.length === seats.length ? fallen[0] : undefined;
    for (const seat of fallen) if (seat !== kept) this.leaveOut(seat, 'fellBack');
  }

  private strike(seat: Seat<M>): void {
    seat.strikes += 1;
    if (seat.strikes >= maxStrikes) this.leaveOut(seat, 'died');
  }

  private leaveOut(seat: Seat<M>, reason: LeftOutReason): void {
    if (seat.out || this.seats.every((one) => one === seat || one.out)) return;
    seat.out = true;
    this.listener.onLeftOut?.(seat.member, reason);
  }

  private tellRest(): void {
    if (this.waiters.length === 0 || this.seats.some(({ busy }) => busy > 0)) return;
    const seats = this.seats.filter(({ out, member }) => !out && !member.cardMayWork());
    const rest = seats.flatMap(({ member }) => member.status() ?? []);
    for (const waiter of this.waiters) if (rest[0]) waiter.rested ??= rest[0];
    if (this.resting) return;
    this.resting = true;
    this.deps.onWait?.(rest);
  }

  /** Polls do not keep a process alive; somebody who waits for them does. */
  private keepAlive(): void {
    if (this.waiters.length > 0) this.alive ??= setInterval(() => {}, 60_000);
    else {
      clearInterval(this.alive);
      this.alive = undefined;
    }
  }
}

/** Faults of one card's process or memory: another card may have neither. */
function isOfCard(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'INFERENCE_FAILED' || code === 'INFERENCE_OUT_OF_MEMORY';
}

/** "Another one did it" is true only where another one did. */
function keeps<M>({ seat, note }: { seat: Seat<M>; note: ResultNote }, last: Seat<M>): boolean {
  return note.key === 'inference.cardWaited' || seat !== last;
}

function cardNote(key: string, { name, temperatureC }: CardStatus['reading']): ResultNote {
  return { key, params: { card: name, temperatureC: temperatureC ?? '?' } };
}

function movedNote(key: string, { card, temperatureC }: CardPaused): ResultNote {
  return { key, params: { card, temperatureC } };
}
