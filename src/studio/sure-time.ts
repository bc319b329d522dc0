import type { Clock } from './ports/basics.js';

/**
 * A time of day that stood so long beside the steady clock is believed, ms: time servers and people have
 * mended a wrong one by then, and a box that is switched off at night still keeps its promises to delete.
 */
const settledMs = 6 * 3_600_000;
/** Between the two clocks, ms: more is a clock that was set. */
const driftMs = 60_000;

/**
 * A time that has passed for certain, ms since 1970: for what cannot be taken back, such as deleting by
 * age. The time of day is one reading of a clock that may be set wrong (no battery, a wrong time server);
 * it counts only as far as it agrees with what was written down before this process began and with the
 * steady clock since then. After six hours without a change it is believed.
 * @param newestKnownMs newest time written down at or before the given one.
 */
export function createSureTime(
  clock: Clock,
  newestKnownMs: (beforeMs: number) => Promise<number | undefined>,
): () => Promise<number> {
  const steady = () => clock.steadyMs?.() ?? clock.now();
  const start = { nowMs: clock.now(), steadyMs: steady() };
  let agreed = start;
  let sure: { ms: number; steadyMs: number } | undefined;
  return async () => {
    const nowMs = clock.now();
    const steadyMs = steady();
    if (!sure) {
      const known = await newestKnownMs(start.nowMs);
      sure = { ms: Math.min(start.nowMs, known ?? start.nowMs), steadyMs: start.steadyMs };
    }
    const apart = nowMs - agreed.nowMs - (steadyMs - agreed.steadyMs);
    if (Math.abs(apart) > driftMs) agreed = { nowMs, steadyMs };
    if (steadyMs - agreed.steadyMs >= settledMs) sure = { ms: nowMs, steadyMs };
    return Math.min(nowMs, sure.ms + (steadyMs - sure.steadyMs));
  };
}
