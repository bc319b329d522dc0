import { type PaceLimits, SendPace } from '../../src/bots/send-pace.js';

const limits: PaceLimits = {
  ...{ allPerSecond: 1_000, allBurst: 1_000, chatIntervalMs: 1, chatBurst: 1_000 },
  ...{ groupPerMinute: 60_000, groupBurst: 1_000 },
};
/** A clock that stands still: what must wait is still waiting, whatever the machine does. */
const clock = { now: () => 1_000_000 };
const pace = (changes: Partial<PaceLimits> = {}) => new SendPace(clock, { ...limits, ...changes });

/** How many of these may go without a pause. */
async function atOnce(count: number, turn: (i: number) => Promise<void>): Promise<number> {
  const gone: number[] = [];
  for (let i = 0; i < count; i += 1) void turn(i).then(() => gone.push(i));
  // No timer of a millisecond or more has a chance before these.
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
  return gone.length;
}

test('one chat gets a small burst, then waits; other chats do not', async () => {
  const one = pace({ chatIntervalMs: 5, chatBurst: 2 });
  expect(await atOnce(6, () => one.turn('anna', false))).toBe(3);
  expect(await atOnce(1, () => one.turn('ben', false))).toBe(1);
});

test('a group is written to more seldom than a person', async () => {
  const one = pace({ groupPerMinute: 6_000, groupBurst: 1 });
  expect(await atOnce(5, () => one.turn('group', true))).toBe(2);
  expect(await atOnce(5, () => one.turn('anna', false))).toBe(5);
});

test('all together keep the limit of all', async () => {
  const one = pace({ allPerSecond: 100, allBurst: 3 });
  expect(await atOnce(8, (i) => one.turn(`chat ${i}`, false))).toBe(4);
});

test('told to wait, everybody waits, and the longest word counts', async () => {
  let nowMs = 0;
  const one = new SendPace({ now: () => nowMs }, limits);
  one.pause(200);
  one.pause(5);
  nowMs = 100;
  const waiting = one.turn('anna', false);
  expect(await atOnce(1, () => waiting)).toBe(0);
  nowMs = 200;
  expect(await atOnce(1, () => one.turn('ben', false))).toBe(1);
  await waiting;
});

test('told to wait in one chat, others go on', async () => {
  const one = pace();
  one.pause(30_000, 'anna');
  expect([one.restMs('anna'), one.restMs('ben')]).toEqual([30_000, 0]);
  expect(await atOnce(1, () => one.turn('ben', false))).toBe(1);
});

test('three chats told to wait in a row share one limit; a success between them says no', async () => {
  let nowMs = 0;
  const one = new SendPace({ now: () => nowMs }, limits);
  one.pause(200, 'anna');
  one.pause(200, 'ben');
  one.wentThrough();
  one.pause(200, 'cara');
  expect(await atOnce(1, () => one.turn('dora', false))).toBe(1);
  one.pause(200, 'anna');
  one.pause(200, 'ben');
  const waiting = one.turn('dora', false);
  expect(await atOnce(1, () => waiting)).toBe(0);
  nowMs = 200;
  await waiting;
});
