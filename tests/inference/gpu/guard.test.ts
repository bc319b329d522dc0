import fc from 'fast-check';
import {
  boundsOf,
  type GuardState,
  mayWork,
  observe,
  UNREAD,
} from '../../../src/inference/gpu/guard';

const rules = { pauseC: 83, resumeBelowC: 10, slowdownMarginC: 10, stopC: 90, holdMs: 60_000 };
const bounds = boundsOf(rules, 99);

interface Poll {
  readonly temperatureC?: number;
  readonly thermalSlowdown?: boolean;
  /** The driver does not answer. */
  readonly silent?: boolean;
}

/** Feed polls that lie `everyMs` apart and keep every state. */
function drive(polls: readonly Poll[], everyMs = 15_000): GuardState[] {
  const states: GuardState[] = [];
  let state = UNREAD;
  polls.forEach(({ silent, thermalSlowdown = false, ...told }, i) => {
    const reading = silent ? undefined : { ...told, thermalSlowdown };
    state = observe(state, reading, bounds, rules, (i + 1) * everyMs);
    states.push(state);
  });
  return states;
}

const at = (...temperatures: number[]) => temperatures.map((temperatureC) => ({ temperatureC }));
const names = (states: readonly GuardState[]) => states.map((one) => one.state);

test('heat pauses on the second reading, and the card comes back ten degrees lower', () => {
  const states = names(drive(at(60, 84, 82, 83, 84, 80, 74, 73, 72, 80)));
  expect(states).toEqual([
    ...['working', 'working', 'working', 'working', 'paused', 'paused', 'paused'],
    ...['paused', 'working', 'working'],
  ]);
});

test('a card that cools quickly rests for the hold all the same', () => {
  const states = names(drive(at(60, 84, 84, 50, 50, 50, 50)));
  expect(states).toEqual([
    ...['working', 'working', 'paused', 'paused', 'paused', 'paused', 'working'],
  ]);
});

test('the stop line stops at the first reading, until the card is cool', () => {
  const states = drive(at(60, 90, 84, 80, 74, 74, 74, 73));
  expect(names(states)).toEqual([
    ...['working', 'stopped', 'stopped', 'stopped', 'stopped', 'stopped', 'stopped', 'working'],
  ]);
  expect(states[1]).toMatchObject({ reason: 'tooHot', pauses: 1 });
});

test('a slowdown flag pauses at any temperature', () => {
  const states = drive([{ temperatureC: 70 }, { temperatureC: 70, thermalSlowdown: true }]);
  expect(states[1]).toMatchObject({ state: 'paused', reason: 'slowdown' });
});

test('nonsense over 120 degrees is not a reading; a sensor that tells nothing else is distrusted', () => {
  expect(names(drive(at(60, 255, 61)))).toEqual(['working', 'working', 'working']);
  expect(names(drive(at(60, 255, 255, 255)))).toEqual([
    ...['working', 'working', 'working', 'unknown'],
  ]);
});

test('a driver that falls silent takes its card out, and the card comes back after a rest', () => {
  const silent = { silent: true };
  const states = drive([...at(60), silent, silent, silent, ...at(60, 60, 60, 60)]);
  expect(names(states)).toEqual([
    ...['working', 'working', 'working', 'unknown', 'paused', 'paused', 'paused', 'working'],
  ]);
  expect(states.map(mayWork)).toEqual([true, true, true, false, false, false, false, true]);
});

test('a card that never tells its temperature works, and pauses when the driver slows it', () => {
  expect(names(drive([{}, {}, {}, {}]))).toEqual(['working', 'working', 'working', 'working']);
  expect(names(drive([{}, { thermalSlowdown: true }]))).toEqual(['working', 'paused']);
});

test('a card that is hot at the start does not begin', () => {
  expect(names(drive(at(84)))).toEqual(['paused']);
});

test("a card's own slowdown temperature lowers the bounds", () => {
  expect(boundsOf(rules, undefined)).toEqual({ pauseC: 83, resumeC: 73, stopC: 90 });
  expect(boundsOf(rules, 99)).toEqual({ pauseC: 83, resumeC: 73, stopC: 90 });
  // Tesla P40 slows at 92, P4 at 85.
  expect(boundsOf(rules, 92)).toEqual({ pauseC: 82, resumeC: 72, stopC: 90 });
  expect(boundsOf(rules, 85)).toEqual({ pauseC: 75, resumeC: 65, stopC: 85 });
});

/** Walks, jumps, silence, nonsense and flags, at irregular times. */
const curves = fc.record({
  start: fc.integer({ min: 20, max: 119 }),
  slowdownC: fc.option(fc.integer({ min: 70, max: 105 }), { nil: undefined }),
  holdMs: fc.integer({ min: 0, max: 300_000 }),
  stopC: fc.integer({ min: 60, max: 105 }),
  pauseC: fc.integer({ min: 40, max: 105 }),
  steps: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 90_000 }),
      byC: fc.oneof(fc.integer({ min: -4, max: 5 }), fc.integer({ min: -60, max: 60 })),
      kind: fc.oneof(
        { weight: 12, arbitrary: fc.constant('told' as const) },
        { weight: 1, arbitrary: fc.constant('silent' as const) },
        { weight: 1, arbitrary: fc.constant('nonsense' as const) },
        { weight: 1, arbitrary: fc.constant('notTold' as const) },
      ),
      flag: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 120 },
  ),
});

test('on any curve: never works above the stop line, never flaps faster than the hold', () => {
  fc.assert(
    fc.property(curves, ({ start, slowdownC, steps, ...own }) => {
      const rulesHere = { ...rules, ...own };
      const here = boundsOf(rulesHere, slowdownC);
      expect(here.pauseC).toBeLessThanOrEqual(here.stopC);
      let state = UNREAD;
      let nowMs = 0;
      let temperatureC = start;
      let leftMs: number | undefined;
      let hotInRow = 0;
      let untoldInRow = 0;
      for (const { afterMs, byC, kind, flag } of steps) {
        nowMs += afterMs;
        temperatureC = Math.min(119, Math.max(15, temperatureC + byC));
        const told = kind === 'told' ? temperatureC : kind === 'nonsense' ? 250 : undefined;
        const reading =
          kind === 'silent'
            ? undefined
            : { thermalSlowdown: flag, ...(told === undefined ? {} : { temperatureC: told }) };
        const before = state;
        state = observe(state, reading, here, rulesHere, nowMs);
        const works = mayWork(state);
        if (kind === 'told') {
          hotInRow = temperatureC >= here.pauseC ? hotInRow + 1 : 0;
          untoldInRow = 0;
          if (temperatureC >= here.stopC) expect(state.state).toBe('stopped');
          if (hotInRow >= 2) expect(works).toBe(false);
          // It never begins anew while it is warm after heat.
          if (before.mustCool && temperatureC > here.resumeC) expect(works).toBe(false);
        } else if (state.tells) untoldInRow += 1;
        if (state.tells && untoldInRow >= 3) expect(works).toBe(false);
        if (flag && reading) expect(works).toBe(false);
        if (before.state === 'working' && state.state !== 'working') leftMs = nowMs;
        if (before.state !== 'working' && state.state === 'working' && leftMs !== undefined)
          expect(nowMs - leftMs).toBeGreaterThanOrEqual(rulesHere.holdMs);
      }
    }),
    { numRuns: 3000 },
  );
});

test('a card that stays cool is never kept from work for ever', () => {
  fc.assert(
    fc.property(curves, ({ start, slowdownC, steps, ...own }) => {
      const rulesHere = { ...rules, ...own };
      const here = boundsOf(rulesHere, slowdownC);
      let state = UNREAD;
      let nowMs = 0;
      for (const { afterMs, byC, flag } of steps) {
        nowMs += afterMs;
        const reading = { temperatureC: start + byC, thermalSlowdown: flag };
        state = observe(state, reading, here, rulesHere, nowMs);
      }
      const cool = { temperatureC: here.resumeC, thermalSlowdown: false };
      state = observe(state, cool, here, rulesHere, nowMs + rulesHere.holdMs);
      expect(state.state).toBe('working');
    }),
    { numRuns: 1000 },
  );
});
