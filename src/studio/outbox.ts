import { type JobName, type JobPayloads, jobs, type NewJob, priorities } from './jobs.js';
import type { Clock } from './ports/basics.js';
import type { Tables } from './ports/store.js';

/** A job that is as urgent as its name says, unless it says otherwise. */
type Wanted<N extends JobName> = Omit<NewJob<N>, 'priority'> & { readonly priority?: number };

/** Want a job; it commits with the caller's transaction. */
export async function want<N extends JobName>(
  tables: Tables,
  { clock }: { clock: Clock },
  job: Wanted<N>,
): Promise<void> {
  const { priority = priorities[jobs[job.name].urgency] } = job;
  await tables.outbox.add({ ...job, priority }, clock.now());
}

/** Tell a customer something; `key` is natural, the same news is told once. */
export async function tell(
  tables: Tables,
  deps: { clock: Clock },
  news: JobPayloads['notify'],
  priority: number,
): Promise<void> {
  const { customerId: group, key } = news;
  await want(tables, deps, {
    name: 'notify',
    key: `notify:${key}`,
    payload: news,
    priority,
    group,
  });
}
