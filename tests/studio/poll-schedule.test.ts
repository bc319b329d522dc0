import type { ChargeRecord } from '../../src/studio/records.js';
import {
  nextLatePollMs,
  nextOpenPollMs,
  nextRefundPollMs,
} from '../../src/studio/stages/poll-schedule.js';

const minute = 60_000;
const hour = 60 * minute;
const charge = { createdMs: 0, expiresMs: 30 * minute } as ChargeRecord;

test('who may be paying just now is asked about often, later seldom', () => {
  expect(nextOpenPollMs(charge, 0)).toBe(3_000);
  expect(nextOpenPollMs(charge, 2 * minute - 1)).toBe(2 * minute - 1 + 3_000);
  expect(nextOpenPollMs(charge, 2 * minute)).toBe(2 * minute + 10_000);
  expect(nextOpenPollMs(charge, 10 * minute)).toBe(10 * minute + 30_000);
});

test('the expiry itself is never slept through; after it the question is asked all the same', () => {
  expect(nextOpenPollMs(charge, 30 * minute - 5_000)).toBe(charge.expiresMs);
  expect(nextOpenPollMs(charge, 30 * minute)).toBe(30 * minute + 2 * minute);
});

test('late money is looked for six times, each moment once, and then no more', () => {
  const asked: (number | null)[] = [charge.expiresMs];
  for (let i = 0; i < 7; i += 1) asked.push(nextLatePollMs(charge, asked.at(-1)!));
  const late = [minute, 10 * minute, hour, 6 * hour, 24 * hour, 72 * hour];
  expect(asked.slice(1)).toEqual([...late.map((ms) => charge.expiresMs + ms), null]);
});

test('a refund is asked about soon, then ever more seldom, but every day', () => {
  expect(nextRefundPollMs(0, 5)).toBe(10_005);
  expect(nextRefundPollMs(1, 0)).toBe(20_000);
  for (const polls of [14, 15, 1_000]) expect(nextRefundPollMs(polls, 0)).toBe(24 * hour);
});
