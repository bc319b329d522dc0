import type { Clock } from './ports/basics.js';

const starts = new WeakMap<Clock, { readonly nowMs: number; readonly steadyMs: number }>();

/**
 * The time of day, but never later than the steady clock has seen pass since it was first asked: for
 * removing leftovers by age. A clock that is set ahead while something is being written makes nothing old.
 * @returns ms since 1970.
 */
export function steadyNow(clock: Clock): number {
  const nowMs = clock.now();
  if (!clock.steadyMs) return nowMs;
  const steadyMs = clock.steadyMs();
  const start = starts.get(clock) ?? { nowMs, steadyMs };
  starts.set(clock, start);
  return Math.min(nowMs, start.nowMs + steadyMs - start.steadyMs);
}
