import { Attempt, type AttemptFacts, runAttempt } from '../../src/queue/attempt.js';
import { defaultPolicy } from '../../src/queue/policy.js';
import {
  BlobsAway,
  CardPaused,
  ChannelAway,
  PhotoUnreadable,
  type StudioError,
} from '../../src/studio/errors/index.js';
import type { Handlers, Job } from '../../src/studio/jobs.js';
import type { ConsumeOptions } from '../../src/studio/ports/queue.js';
import { notify } from '../contracts/queue.js';

const shares: number[] = [];
beforeEach(() => {
  shares.length = 0;
});

function attempt(
  work: (job: Job<'notify'>, attempt: Attempt) => unknown,
  facts: Partial<AttemptFacts> = {},
  options: Partial<ConsumeOptions> = {},
) {
  const running = new Attempt();
  const handlers = {
    notify: async (job: Job<'notify'>) => void (await work(job, running)),
  } as Partial<Handlers>;
  return runAttempt(
    { job: notify('a'), failures: 0, lostWorkers: 0, ...facts },
    handlers,
    { concurrency: 1, worker: 'box:1', ...options },
    defaultPolicy,
    running,
    (share) => void shares.push(share),
  );
}
const fails = (error: unknown) => () => {
  throw error;
};

test('progress stays between nothing and all; what is no number is no progress', async () => {
  await attempt((job) => {
    for (const share of [-1, 0.25, 1, 7, Number.NaN, Number.POSITIVE_INFINITY]) job.progress(share);
  });
  expect(shares).toEqual([0, 0.25, 1, 1]);
});

test('an answer comes with the end; none is none', async () => {
  expect(await attempt((job) => job.answer({ a: 1 }))).toEqual({ kind: 'done', answer: { a: 1 } });
  expect(await attempt(() => {})).toEqual({ kind: 'done' });
});

test('attempts count failures and lost workers', async () => {
  const seen: number[] = [];
  await attempt((job) => seen.push(job.attempt), { failures: 2, lostWorkers: 3 });
  expect(seen).toEqual([6]);
});

test('what is not the job’s fault is no failure', async () => {
  expect(await attempt(fails(new CardPaused('GTX 1060', 84)))).toEqual({ kind: 'givenBack' });
  const away = await attempt(fails(new BlobsAway('s3://photos', 'ECONNREFUSED')));
  expect(away).toMatchObject({ kind: 'postponed', error: { code: 'BLOBS_AWAY' } });
  // Even the last attempt is not used up by it.
  const failures = defaultPolicy.maxAttempts - 1;
  const last = await attempt(fails(new BlobsAway('s3://photos', 'EPIPE')), { failures });
  expect(last.kind).toBe('postponed');
});

test.each([
  ['cancel', 'cancelled'],
  ['closing', 'givenBack'],
  ['lost', 'lost'],
] as const)('stopped by %s it is %s, whatever the handler says', async (reason, kind) => {
  const outcome = await attempt((_job, running) => {
    running.stop(reason);
    // The first reason counts.
    running.stop('lost');
    throw new PhotoUnreadable('cut short');
  });
  expect(outcome).toEqual({ kind });
});

test('it is set aside when somebody was told of it, not before', async () => {
  const told: string[] = [];
  const onDead = async (_job: unknown, reason: StudioError) => void told.push(reason.code);
  const dead = await attempt(fails(new PhotoUnreadable('cut short')), {}, { onDead });
  expect(dead).toMatchObject({ kind: 'dead', error: { code: 'PHOTO_UNREADABLE' } });
  expect(told).toEqual(['PHOTO_UNREADABLE']);
  const deaf = fails(new ChannelAway('web'));
  const kept = await attempt(fails(new PhotoUnreadable('cut short')), {}, { onDead: deaf });
  expect(kept).toMatchObject({ kind: 'retry', error: { code: 'CHANNEL_AWAY' } });
});

test('a job that took too many workers with it does not run once more', async () => {
  const runs: string[] = [];
  const lostWorkers = defaultPolicy.maxLostWorkers + 1;
  const outcome = await attempt((job) => runs.push(job.key), { lostWorkers });
  expect(outcome).toMatchObject({ kind: 'dead', error: { code: 'WORKER_LOST' } });
  expect(runs).toEqual([]);
});
