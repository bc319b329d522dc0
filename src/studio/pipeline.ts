import type { Context } from './context.js';
import { ChannelAway, type StudioError } from './errors/index.js';
import { type Handlers, isForBoxes, type Job, type JobName, type NewJob } from './jobs.js';
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

/** Each job bound to its stage. */
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

  const endings = endingsOf(context, restore);
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
      await gaveUp(context, endings, job, reason);
      if (!isForBoxes(job.name) && !mayComeBack(job, reason)) await finished(job.key);
    },
  };
}

/** What a job that was given up leaves to say; a missing one does not compile. */
export type Endings = {
  readonly [N in JobName]: (job: NewJob<N>, reason: StudioError) => Promise<void>;
};

function endingsOf(context: Context, restore: RestoreStage): Endings {
  // Charges and refunds are asked about again on their own schedule; sweepers find the others.
  const nobodyWaits = async () => {};
  return {
    intake: ({ key, payload }, reason) => failPhoto(context, payload.photoId, key, reason),
    restore: (job, reason) => restore.gaveUp(job, reason),
    unlock: ({ payload }, reason) => unlockFailed(context, payload.holdId, reason),
    deliver: nobodyWaits,
    checkout: nobodyWaits,
    settle: nobodyWaits,
    refund: nobodyWaits,
    notify: nobodyWaits,
  };
}

async function gaveUp<N extends JobName>(
  context: Context,
  endings: Endings,
  job: NewJob<N>,
  reason: StudioError,
): Promise<void> {
  const { name, key } = job;
  context.log.error('job.dead', { job: name, key, code: reason.code });
  context.metrics.jobDead(name, reason.code);
  await endings[name](job, reason);
}

/** News for a channel that is away stays in the outbox: the sweeper tries again. */
function mayComeBack(job: NewJob, reason: StudioError): boolean {
  return job.name === 'notify' && reason instanceof ChannelAway;
}
