import type { CardBounds, CardReading, CardReason, CardState } from '../../studio/ports/cards.js';

/** How hot a card may get; see `gpu` in config/default.yaml. */
export interface GuardRules {
  readonly pauseC: number;
  readonly resumeBelowC: number;
  readonly slowdownMarginC: number;
  readonly stopC: number;
  /** Least rest after leaving `working`, ms. */
  readonly holdMs: number;
}

/** Everything the guard remembers of a card; plain data. */
export interface GuardState {
  readonly state: CardState;
  readonly reason?: CardReason;
  /** Hot readings running. */
  readonly hotInRow: number;
  /** Polls running that told no temperature. */
  readonly silentInRow: number;
  /** It has told a temperature once: from then on silence means danger. */
  readonly tells: boolean;
  /** Was hot and has not been cool since. */
  readonly mustCool: boolean;
  /** Does not work before this, on the same clock as `nowMs`. */
  readonly restUntilMs: number;
  readonly pauses: number;
}

/** Sensors answer nonsense now and then; nothing that still runs is hotter than this. */
const HOTTEST_C = 120;
/** Polls without an answer before a card that used to tell counts as unknown. */
const SILENT_POLLS = 3;
/** One hot reading may be a peak of a moment. */
const HOT_READINGS = 2;

/** Before anything was read. */
export const UNREAD: GuardState = {
  state: 'unknown',
  hotInRow: 0,
  silentInRow: 0,
  tells: false,
  mustCool: false,
  restUntilMs: 0,
  pauses: 0,
};

/** The rules' bounds for one card: its own slowdown temperature may lower them. */
export function boundsOf(rules: GuardRules, slowdownC: number | undefined): CardBounds {
  const stopC = Math.min(rules.stopC, slowdownC ?? rules.stopC);
  const early = slowdownC === undefined ? rules.pauseC : slowdownC - rules.slowdownMarginC;
  const pauseC = Math.min(rules.pauseC, early, stopC);
  return { pauseC, resumeC: pauseC - rules.resumeBelowC, stopC };
}

/**
 * One poll. A reading at the stop line stops at once, a slowdown flag pauses at once, heat pauses on
 * the second reading running; a card comes back when it is cool and has rested.
 * @param reading absent: the driver did not answer, or no longer names this card.
 * @param nowMs a clock that never goes back.
 */
export function observe(
  before: GuardState,
  reading: Pick<CardReading, 'temperatureC' | 'thermalSlowdown'> | undefined,
  bounds: CardBounds,
  rules: Pick<GuardRules, 'holdMs'>,
  nowMs: number,
): GuardState {
  const told = reading?.temperatureC;
  const temperatureC = told !== undefined && told <= HOTTEST_C ? told : undefined;
  const tells = before.tells || told !== undefined;
  const slowed = reading?.thermalSlowdown === true;
  const leave = (state: CardState, reason: CardReason, now: Partial<GuardState> = {}) => ({
    ...before,
    tells,
    ...(before.state === 'working'
      ? { restUntilMs: nowMs + rules.holdMs, pauses: before.pauses + 1 }
      : {}),
    ...{ state, reason, ...now },
  });
  if (temperatureC === undefined && (tells || !reading)) {
    const silentInRow = before.silentInRow + 1;
    if (slowed) return leave('paused', 'slowdown', { silentInRow, mustCool: true });
    if (silentInRow < SILENT_POLLS) return { ...before, tells, silentInRow };
    return leave('unknown', 'silent', { silentInRow, hotInRow: 0 });
  }
  const heat = temperatureC ?? Number.NEGATIVE_INFINITY;
  const hot = heat >= bounds.pauseC;
  const hotInRow = hot ? before.hotInRow + 1 : 0;
  const now = { silentInRow: 0, hotInRow };
  if (heat >= bounds.stopC) return leave('stopped', 'tooHot', { ...now, mustCool: true });
  const cool = heat <= bounds.resumeC && !slowed;
  const mustCool = before.mustCool && !cool;
  const rests = nowMs < before.restUntilMs;
  // A card that was stopped stays stopped until it is cool: `paused` would let its work end.
  const held = before.state === 'stopped' ? ('stopped' as const) : ('paused' as const);
  if (slowed) return leave(held, 'slowdown', { ...now, mustCool: true });
  const sudden = before.state !== 'working' && hot;
  if (hotInRow >= HOT_READINGS || sudden) return leave(held, 'hot', { ...now, mustCool: true });
  if (mustCool || rests) return leave(held, before.reason ?? 'hot', { ...now, mustCool });
  const { reason: _, ...rest } = before;
  return { ...rest, ...now, tells, mustCool: false, state: 'working' };
}

/** Whether new work may be taken; see `Cards.mayWork`. */
export function mayWork({ state, tells }: GuardState): boolean {
  return state === 'working' || (state === 'unknown' && !tells);
}
