import type { Kysely } from 'kysely';
import type { JobName } from '../studio/jobs.js';
import type { Monitor } from '../studio/ports/monitor.js';
import type { Database } from './database.js';
import { translateDatabaseError } from './database-errors.js';

type AnyDb = Kysely<Record<string, Record<string, string | number | null>>>;

/** Standing figures over an open, migrated database; reads only. @throws {DatabaseAway} */
export function createMonitor({ reader: db }: Database): Monitor {
  /** How many rows there are of each combination. */
  async function counts<R>(table: string, ...columns: (keyof R & string)[]): Promise<R[]> {
    const query = (db as unknown as AnyDb)
      .selectFrom(table)
      .select((one) => [...columns, one.fn.countAll<number>().as('count')])
      .groupBy(columns);
    // Of what was set aside only what nobody has dealt with.
    const asked = table === 'quarantine' ? query.where('resolvedMs', 'is', null) : query;
    return (await translated(asked.execute())).map((row) => ({
      ...row,
      count: Number(row['count']),
    })) as R[];
  }

  return {
    async backlog(nowMs) {
      // A job stays in the outbox until it is through: right for either queue, whatever that loses.
      const query = db
        .selectFrom('outbox')
        .select(({ fn }) => [
          'name',
          'priority',
          fn.countAll<number>().as('jobs'),
          fn.min<number>(fn.coalesce('notBeforeMs', 'createdMs')).as('oldestMs'),
        ])
        .groupBy(['name', 'priority']);
      return (await translated(query.execute())).map(({ name, priority, jobs, oldestMs }) => ({
        job: name as JobName,
        priority: Number(priority),
        jobs: Number(jobs),
        oldestMs: Math.max(0, nowMs - Number(oldestMs)),
      }));
    },
    photos: () => counts('photos', 'state'),
    orders: () => counts('orders', 'state', 'method'),
    charges: () => counts('charges', 'state', 'gateway'),
    refunds: () => counts('refunds', 'state'),
    quarantined: () => counts('quarantine', 'gateway'),
  };
}

async function translated<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
