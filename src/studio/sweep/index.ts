import type { Context } from '../context.js';
import { sweepWaivers } from '../label-choice.js';
import { queueDue } from './due.js';
import { sweepOverdue } from './overdue.js';
import { sweepOrphans, sweepRetention } from './retention.js';
import { sweepStuck } from './stuck.js';

/** One recurring duty; several processes may do it at once. */
export interface Duty {
  readonly name: 'due' | 'overdue' | 'stuck' | 'backlog' | 'retention' | 'orphans';
  readonly everyMs: number;
  /**
   * @param stop aborted: end soon, the rest is done at the next start.
   * @returns how much there was to do.
   */
  readonly run: (stop?: AbortSignal) => Promise<number>;
}

const minute = 60_000;

/** What `serve` runs on timers. A duty that throws is tried again at its next turn. */
export function createDuties(context: Context): readonly Duty[] {
  return [
    { name: 'due', everyMs: 1_000, run: () => queueDue(context) },
    { name: 'overdue', everyMs: 15_000, run: (stop) => sweepOverdue(context, stop) },
    { name: 'stuck', everyMs: minute, run: () => sweepStuck(context) },
    { name: 'backlog', everyMs: minute, run: () => watchBacklog(context) },
    {
      name: 'retention',
      everyMs: 30 * minute,
      run: async (stop) => (await sweepRetention(context, stop)) + (await sweepWaivers(context)),
    },
    { name: 'orphans', everyMs: 6 * 60 * minute, run: () => sweepOrphans(context) },
  ];
}

/** A relay that does not get through must be heard. */
async function watchBacklog({ store, clock, log }: Context): Promise<number> {
  const { jobs, oldestMs } = await store.read.outbox.backlog(clock.now());
  if (oldestMs > minute) log.warn('outbox.backlog', { jobs, oldestMs });
  return jobs;
}
