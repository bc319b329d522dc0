import type { Context } from '../context.js';
import { UnexpectedFault } from '../errors/index.js';
import { isRestore, jobs } from '../jobs.js';
import { limits } from '../limits.js';
import { want } from '../outbox.js';
import { awaitsOutcome } from '../photo.js';
import { restoreKey } from '../photo-runs.js';
import type { JobInfo } from '../ports/queue.js';
import type { OutboxJob } from '../ports/store.js';
import { failPhoto } from '../stages/fail-photo.js';

/** News for a channel that stays away is given up after this, ms. */
const newsMs = 3 * 86_400_000;

/**
 * Find jobs that were relayed long ago and never finished, ask the queue about them, and add again
 * what it lost: a flushed Redis, a dead worker, a lost `deliver`.
 * @returns jobs put right.
 */
export async function sweepOverdue(context: Context): Promise<number> {
  const { store, clock, queue } = context;
  const beforeMs = clock.now() - limits.studio.overdueMs;
  const overdue = await store.read.outbox.overdue(beforeMs, limits.studio.sweepRows);
  let mended = 0;
  const seen: string[] = [];
  for (const job of overdue) {
    if (await mend(context, job, await queue.find(job.key))) mended += 1;
    seen.push(job.key);
  }
  // Look again later, after others; what was mended away is no longer there.
  if (seen.length > 0) await store.transaction(({ outbox }) => outbox.relayed(seen, clock.now()));
  if (mended > 0) context.log.warn('jobs.mended', { jobs: mended });
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
