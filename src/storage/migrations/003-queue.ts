import type { Migration } from './migration.js';

/** The embedded queue. Unused where REDIS_URL is set. */
export const queueTables: Migration = {
  name: '003-queue',
  statements: () => [
    `create table queue_jobs (
      key text primary key, name text not null, payload text not null, priority bigint not null,
      turn bigint not null, customer_group text not null, state text not null
        check (state in ('waiting', 'active', 'done', 'dead', 'cancelled')),
      run_at_ms bigint not null, added_ms bigint not null, failures bigint not null,
      lost_workers bigint not null, lease_token text unique, lease_until_ms bigint, worker text,
      cancel_requested bigint not null, progress double precision not null, started_ms bigint,
      finished_ms bigint, last_error text)`,
    `create index queue_jobs_order on queue_jobs (priority, turn, added_ms)
      where state = 'waiting'`,
    `create index queue_jobs_due on queue_jobs (name, run_at_ms) where state = 'waiting'`,
    `create index queue_jobs_groups on queue_jobs (customer_group, priority, turn)
      where state in ('waiting', 'active')`,
    `create index queue_jobs_leases on queue_jobs (lease_until_ms) where state = 'active'`,
    'create index queue_jobs_finished on queue_jobs (state, finished_ms)',
    'create index queue_jobs_recent on queue_jobs (name, state, finished_ms)',
    'create index queue_jobs_added on queue_jobs (added_ms)',
    `create table queue_workers (
      worker text primary key, names text not null, concurrency bigint not null,
      seen_ms bigint not null)`,
  ],
};
