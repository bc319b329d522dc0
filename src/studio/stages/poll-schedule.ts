import type { ChargeRecord } from '../records.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** While the customer is likely paying, often; then less and less. */
const open = [
  { untilMs: 2 * minute, everyMs: 3 * second },
  { untilMs: 10 * minute, everyMs: 10 * second },
  { untilMs: 30 * minute, everyMs: 30 * second },
  { untilMs: Number.POSITIVE_INFINITY, everyMs: 2 * minute },
] as const;

/** Money may still arrive after the close: looked for this long after the order's expiry. */
const late = [minute, 10 * minute, hour, 6 * hour, 24 * hour, 72 * hour] as const;

/** When to ask about a charge whose code was just handed out. */
export function firstPollMs(nowMs: number): number {
  return nowMs + open[0].everyMs;
}

/** When to ask again about a charge that can be paid; never past its expiry. */
export function nextOpenPollMs(charge: ChargeRecord, nowMs: number): number {
  const ageMs = nowMs - charge.createdMs;
  const { everyMs } = open.find(({ untilMs }) => ageMs < untilMs) ?? open[3];
  if (nowMs >= charge.expiresMs) return nowMs + everyMs;
  return Math.min(nowMs + everyMs, charge.expiresMs);
}

/** When to look once more for money on a closed charge; null: no more. */
export function nextLatePollMs(charge: ChargeRecord, nowMs: number): number | null {
  const delay = late.find((delayMs) => charge.expiresMs + delayMs > nowMs);
  return delay === undefined ? null : charge.expiresMs + delay;
}

/** When to ask again about a refund: soon, then ever more seldom, one day at most. */
export function nextRefundPollMs(polls: number, nowMs: number): number {
  return nowMs + Math.min(24 * hour, 10 * second * 2 ** Math.min(polls, 14));
}
