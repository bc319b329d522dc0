import type { Context } from './context.js';
import { asOperator } from './operator-log.js';
import type { Actor } from './ports/operator.js';
import type { JobState } from './ports/queue.js';

/** What it can be asked of. */
const fitting: Readonly<Record<'retry' | 'cancel', readonly JobState[]>> = {
  retry: ['dead', 'cancelled'],
  cancel: ['waiting', 'active', 'delayed'],
};

/**
 * An operator lets a dead job run again, or calls one off. Written down first: the queue may be
 * elsewhere than the database.
 * @returns false when it is not in a fitting state, or unknown.
 */
export async function changeJob(
  deps: Pick<Context, 'store' | 'ids' | 'clock' | 'log' | 'queue'>,
  by: Actor,
  wanted: 'retry' | 'cancel',
  key: string,
): Promise<boolean> {
  const job = await deps.queue.find(key);
  if (!job || !fitting[wanted].includes(job.state)) return false;
  await asOperator(deps, by, (_, note) =>
    note({ action: 'job', subject: key, details: { wanted, key } }),
  );
  return deps.queue[wanted](key);
}
