import type { JobName, JobPayloads, NewJob } from './jobs.js';
import type { Clock } from './ports/basics.js';
import type { Tables } from './ports/store.js';

/** Want a job; it commits with the caller's transaction. */
export async function want<N extends JobName>(
  tables: Tables,
  { clock }: { clock: Clock },
  job: NewJob<N>,
): Promise<void> {
  await tables.outbox.add(job, clock.now());
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
