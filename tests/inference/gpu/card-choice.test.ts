import {
  chooseSeat,
  type PoolMember,
  type Seat,
  smoothed,
} from '../../../src/inference/gpu/card-choice';

/** `hot` may not work; `cpu`: the processor helps it; `fallen`: no provider works on it. */
function seat(
  busy: number,
  seconds?: number,
  { hot = false, cpu = false, fallen = false } = {},
): Seat<PoolMember> {
  const member: PoolMember = {
    cardMayWork: () => !hot,
    mayTakeWork: () => !hot || cpu || fallen,
    fellBack: () => fallen,
    status: () => undefined,
  };
  return { member, busy, ...(seconds === undefined ? {} : { seconds }), strikes: 0, out: false };
}

test('the fastest of the free cards, and first of all one that was never measured', () => {
  const [slow, fast, fresh] = [seat(0, 9), seat(0, 2), seat(0)];
  expect(chooseSeat([slow, fast])).toBe(fast);
  expect(chooseSeat([slow, fast, fresh])).toBe(fresh);
  fast.busy = 1;
  expect(chooseSeat([slow, fast])).toBe(slow);
});

test('with all at work, the one that will have done it first; if that is full, nobody', () => {
  const [slow, fast] = [seat(1, 9), seat(1, 2)];
  expect(chooseSeat([slow, fast])).toBe(fast);
  fast.busy = 2;
  expect(chooseSeat([slow, fast])).toBeUndefined();
  slow.busy = 0;
  expect(chooseSeat([slow, fast])).toBe(slow);
});

test('a resting card gets nothing; the processor helps only when all rest, in one place', () => {
  const [hot, warm] = [seat(0, 1, { hot: true, cpu: true }), seat(1, 9)];
  expect(chooseSeat([hot, warm])).toBe(warm);
  const other = seat(0, 1, { hot: true, cpu: true });
  expect(chooseSeat([hot, other])).toBe(hot);
  hot.busy = 2;
  expect(chooseSeat([hot, other])).toBeUndefined();
  expect(chooseSeat([seat(0, 1, { hot: true })])).toBeUndefined();
  expect(chooseSeat([seat(0, 1, { fallen: true }), warm])).toBe(warm);
  expect(chooseSeat([])).toBeUndefined();
});

test('a measurement moves the measure by a third', () => {
  expect(smoothed(undefined, 6)).toBe(6);
  expect(smoothed(6, 9)).toBe(7);
});
