import fc from 'fast-check';
import { estimateSeconds, remainingSeconds } from '../../src/queue/estimate.js';
import {
  defaultPolicy,
  describe as describeError,
  judge,
  poisoned,
} from '../../src/queue/policy.js';
import {
  ChannelAway,
  DiskUnavailable,
  GatewayUnknown,
  InferenceOutOfMemory,
  PhotoUnreadable,
} from '../../src/studio/errors/index.js';

const decide = (error: unknown, failures: number, random = 0.5) =>
  judge(error, failures, defaultPolicy, () => random);

test('`never` is dead at once; `later`, `smaller`, `unknown` and bugs are tried again', () => {
  expect(decide(new PhotoUnreadable('cut'), 1)).toMatchObject({
    kind: 'dead',
    reason: { code: 'PHOTO_UNREADABLE' },
  });
  const again = [
    new DiskUnavailable('/', 'ENOSPC'),
    new InferenceOutOfMemory('cuda', 512),
    new GatewayUnknown('alipay', 'timeout'),
    new TypeError('bug'),
    'thrown text',
  ];
  for (const error of again) expect(decide(error, 1).kind).toBe('retry');
  for (const error of again) expect(decide(error, defaultPolicy.maxAttempts).kind).toBe('dead');
});

test('waits grow, stay within their bounds and are spread', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, r) => {
        const verdict = decide(new DiskUnavailable('/', 'x'), n, r);
        if (verdict.kind !== 'retry') throw new Error('dead too soon');
        const ceiling = Math.min(
          defaultPolicy.backoffMaxMs,
          defaultPolicy.backoffFirstMs * 2 ** (n - 1),
        );
        expect(verdict.delayMs).toBeGreaterThanOrEqual(ceiling / 2);
        expect(verdict.delayMs).toBeLessThanOrEqual(ceiling);
      },
    ),
  );
});

test('a server that says when to come back is obeyed', () => {
  const verdict = decide(new ChannelAway('telegram', 45_000), 1);
  expect(verdict).toEqual({ kind: 'retry', delayMs: 45_000 });
});

test('one line for a dead letter: code and text, bounded', () => {
  expect(describeError(new ChannelAway('wechat'))).toBe('CHANNEL_AWAY: wechat is away');
  expect(describeError(new Error('x'.repeat(5_000))).length).toBeLessThanOrEqual(1_000);
});

test('a job may lose some workers, not too many', () => {
  expect(poisoned('notify', defaultPolicy.maxLostWorkers, defaultPolicy)).toBeUndefined();
  expect(poisoned('notify', defaultPolicy.maxLostWorkers + 1, defaultPolicy)?.code).toBe(
    'WORKER_LOST',
  );
});

test('a photo has a limit of its own for the workers it may lose', () => {
  const policy = { ...defaultPolicy, maxLostWorkers: 4, maxLostWorkersPerPhoto: 1 };
  expect(poisoned('restore', 1, policy)).toBeUndefined();
  expect(poisoned('restore', 2, policy)?.code).toBe('WORKER_LOST');
  expect(poisoned('deliver', 4, policy)).toBeUndefined();
});

test('however often a patient job failed, its pause has an end', () => {
  const policy = { ...defaultPolicy, maxAttempts: 100 };
  const verdict = judge(new DiskUnavailable('/', 'x'), 40, policy, () => 1);
  expect(verdict).toEqual({ kind: 'retry', delayMs: policy.backoffMaxMs });
});

test('more before you or fewer workers never make the wait shorter', () => {
  const count = fc.integer({ min: 0, max: 500 });
  fc.assert(
    fc.property(count, count, fc.integer({ min: 1, max: 64 }), (ahead, active, places) => {
      const speed = { meanMs: 3_000, places };
      const now = estimateSeconds(ahead, active, speed);
      expect(now).toBeGreaterThanOrEqual(1);
      expect(estimateSeconds(ahead + 1, active, speed)).toBeGreaterThanOrEqual(now);
      const fewer = { meanMs: 3_000, places: Math.max(1, places - 1) };
      expect(estimateSeconds(ahead, active, fewer)).toBeGreaterThanOrEqual(now);
    }),
  );
  expect(estimateSeconds(10, 2, { meanMs: 4_000, places: 2 })).toBe(26);
  expect(estimateSeconds(0, 0, { meanMs: 4_000, places: 0 })).toBe(4);
});

test('a running job is judged by its progress', () => {
  const speed = { meanMs: 10_000, places: 1 };
  expect(remainingSeconds(5_000, 0.5, speed)).toBe(5);
  expect(remainingSeconds(4_000, 0, speed)).toBe(6);
  expect(remainingSeconds(60_000, 0, speed)).toBe(1);
});
