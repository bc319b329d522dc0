import type { Context } from '../context.js';
import { UnexpectedFault } from '../errors/index.js';
import { isRestore, jobs, priorities } from '../jobs.js';
import { limits } from '../limits.js';
import { want } from '../outbox.js';
import { awaitsOutcome } from '../photo.js';
import { restoreKey } from '../photo-runs.js';
import type { JobInfo } from '../ports/queue.js';
import type { OutboxJob } from '../ports/store.js';
import { failPhoto } from '../stages/fail-photo.js';

/** All that jobs in the outbox have, the most urgent first. */
const urgencies = Object.values(priorities).sort((one, other) => one - other);

/** News for a channel that stays away is given up after this, ms. */
const newsMs = 3 * 86_400_000;

/**
 * Find jobs that were relayed long ago and never finished, ask the queue about them, and add again
 * what it lost: a flushed Redis, a dead worker, a lost `deliver`. Money first, then what was paid for.
 * @param stop aborted: no further page.
 * @returns jobs put right.
 */
export async function sweepOverdue(context: Context, stop?: AbortSignal): Promise<number> {
  let mended = 0;
  for (const priority of urgencies) mended += await sweepPriority(context, priority, stop);
  if (mended > 0) context.log.warn('jobs.mended', { jobs: mended });
  return mended;
}

/** One look where the queue lost nothing; where it lost something, as many as there are. */
async function sweepPriority(
  context: Context,
  priority: number,
  stop: AbortSignal | undefined,
): Promise<number> {
  const { store, clock } = context;
  const beforeMs = clock.now() - limits.studio.overdueMs;
  let mended = 0;
  for (;;) {
    const page = await store.read.outbox.overdue(priority, beforeMs, limits.studio.sweepRows);
    if (page.length === 0) return mended;
    const lost = await mendPage(context, page);
    mended += lost;
    // Look again later, after others; what was mended away is no longer there.
    const seen = page.map(({ key }) => key);
    await store.transaction(({ outbox }) => outbox.relayed(seen, clock.now()));
    if (lost === 0 || page.length < limits.studio.sweepRows || stop?.aborted) return mended;
  }
}

/** Oldest first, several at once: most of the time is the way to the queue and back. */
async function mendPage(context: Context, page: readonly OutboxJob[]): Promise<number> {
  let mended = 0;
  const rest = page.values();
  const hand = async () => {
    for (const job of rest) {
      if (await mend(context, job, await context.queue.find(job.key))) mended += 1;
    }
  };
  await Promise.all(Array.from({ length: limits.studio.overdueAtOnce }, hand));
  return mended;
}

async function mend(
  context: Context,
  job: OutboxJob,
  known: JobInfo | undefined,
): Promise<boolean> {
  if (known?.state === 'done') return finishedUnheard(context, job);
  if (known?.state === 'dead' || known?.state === 'cancelled') {
    return abandoned(context, job, known);
  }
  // It waits its turn or runs, or its outcome is on the way.
  if (known || (await outcomeUnderWay(context, job))) return false;
  const { createdMs: _, relayedMs: __, ...fresh } = job;
  await context.queue.add(fresh);
  return true;
}

async function outcomeUnderWay({ queue }: Context, job: OutboxJob): Promise<boolean> {
  const deliver = await queue.find(`deliver:${job.key}`);
  return deliver !== undefined && deliver.state !== 'done' && deliver.state !== 'dead';
}

/** Done, yet still here: a restore whose `deliver` was lost, or a crash just before the mark. */
async function finishedUnheard(context: Context, job: OutboxJob): Promise<boolean> {
  if (!isRestore(job)) {
    await context.store.transaction(({ outbox }) => outbox.done([job.key]));
    return true;
  }
  if (await outcomeUnderWay(context, job)) return false;
  const { photoId } = job.payload;
  await context.store.transaction(async (tables) => {
    const photo = await tables.photos.lock(photoId);
    await tables.outbox.done([job.key]);
    if (!photo || !awaitsOutcome(photo.state)) return;
    const runs = photo.runs + 1;
    await tables.photos.update(photoId, { runs, updatedMs: context.clock.now() });
    const { name, payload, priority, group } = job;
    await want(tables, context, { name, payload, priority, group, key: restoreKey(photoId, runs) });
  });
  return true;
}

async function abandoned(context: Context, job: OutboxJob, known: JobInfo): Promise<boolean> {
  const young = context.clock.now() - job.createdMs < newsMs;
  if (job.name === 'notify' && known.state === 'dead' && young) {
    return context.queue.retry(job.key);
  }
  // Whoever buried it may have died before telling: photos must not wait for ever.
  if (jobs[job.name].holdsUp === 'photo') {
    const { photoId } = job.payload as { readonly photoId: string };
    const reason = new UnexpectedFault(new Error(known.lastError ?? known.state));
    await failPhoto(context, photoId, job.key, reason);
  }
  await context.store.transaction(({ outbox }) => outbox.done([job.key]));
  return true;
}
