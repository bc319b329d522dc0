import type { Context } from './context.js';
import { ChannelAway, type StudioError } from './errors/index.js';
import type { Handlers, Job, JobName, JobPayloads, NewJob } from './jobs.js';
import { timed } from './stage-timing.js';
import { checkout } from './stages/checkout.js';
import { deliver } from './stages/deliver.js';
import { failPhoto } from './stages/fail-photo.js';
import { intake } from './stages/intake.js';
import { notify } from './stages/notify.js';
import { refund } from './stages/refund.js';
import type { RestoreStage } from './stages/restore.js';
import { settle } from './stages/settle.js';
import { unlock, unlockFailed } from './stages/unlock.js';

export interface Pipeline {
  readonly handlers: Handlers;
  /** What becomes of a job that the queue has given up on. */
  readonly onDead: (job: NewJob, reason: StudioError) => Promise<void>;
}

/** Bind every job name to its stage. A finished job leaves the outbox. */
export function createPipeline(context: Context, restore: RestoreStage): Pipeline {
  // Most stages do it in their own last transaction; then this writes nothing.
  const finished = (key: string) => context.store.transaction(({ outbox }) => outbox.done([key]));

  const stage = <N extends JobName>(run: (context: Context, job: Job<N>) => Promise<void>) =>
    timed(context, async (job: Job<N>) => {
      await run(context, job);
      await finished(job.key);
    });

  return {
    handlers: {
      intake: stage(intake),
      // Its worker has no database: `deliver` takes it off the outbox.
      restore: timed(context, (job) => restore.run(job)),
      deliver: stage(deliver),
      unlock: stage(unlock),
      checkout: stage(checkout),
      settle: stage(settle),
      refund: stage(refund),
      notify: stage(notify),
    },
    onDead: async (job, reason) => {
      await gaveUp(context, restore, job, reason);
      if (job.name !== 'restore' && !mayComeBack(job, reason)) await finished(job.key);
    },
  };
}

/**
 * Charges and refunds are asked about again on their own schedule; the rest tells whoever waits.
 */
async function gaveUp(
  context: Context,
  restore: RestoreStage,
  job: NewJob,
  reason: StudioError,
): Promise<void> {
  const { name, key } = job;
  context.log.error('job.dead', { job: name, key, code: reason.code });
  context.metrics.jobDead(name, reason.code);
  if (name === 'restore') await restore.gaveUp(job as NewJob<'restore'>, reason);
  if (name === 'intake') {
    const { photoId } = job.payload as JobPayloads['intake'];
    await failPhoto(context, photoId, key, reason);
  }
  if (name === 'unlock') {
    const { holdId } = job.payload as JobPayloads['unlock'];
    await unlockFailed(context, holdId, reason);
  }
}

/** News for a channel that is away stays in the outbox: the sweeper tries again. */
function mayComeBack(job: NewJob, reason: StudioError): boolean {
  return job.name === 'notify' && reason instanceof ChannelAway;
}
