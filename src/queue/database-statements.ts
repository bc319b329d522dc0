import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { JobName, NewJob } from '../studio/jobs.js';
import type { JobRow, QueueTables, StoredState } from './database-tables.js';
import type { Lease } from './lease-watch.js';

/** The SQL that is spoken. */
export type Dialect = 'sqlite' | 'postgres';

/** Finished rows that one statement forgets. */
const cleanRows = 500;

/** The queue's SQL, the same for SQLite and PostgreSQL but for two words. One call, one statement. */
export class Statements {
  private readonly greatest: RawBuilder<unknown>;
  private readonly skipLocked: RawBuilder<unknown>;

  constructor(
    private readonly db: Kysely<QueueTables>,
    dialect: Dialect,
  ) {
    this.greatest = sql.raw(dialect === 'sqlite' ? 'max' : 'greatest');
    // SQLite has one writer at a time anyway; PostgreSQL must not queue workers behind one row.
    this.skipLocked = sql.raw(dialect === 'sqlite' ? '' : 'for update skip locked');
  }

  /** @returns false when the key is known. */
  async insert(job: NewJob, nowMs: number): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.db
      .insertInto('queue_jobs')
      .values({
        key: job.key,
        name: job.name,
        payload: JSON.stringify(job.payload),
        priority: job.priority,
        turn: this.nextTurn(job, nowMs),
        customer_group: job.group,
        state: 'waiting',
        run_at_ms: Math.max(nowMs, job.notBeforeMs ?? 0),
        added_ms: nowMs,
        failures: 0,
        lost_workers: 0,
        cancel_requested: 0,
        progress: 0,
      })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .executeTakeFirstOrThrow();
    return Number(numInsertedOrUpdatedRows ?? 0) > 0;
  }

  /** Take the most urgent due job. */
  async lease(
    names: readonly JobName[],
    holder: { token: string; worker: string; untilMs: number },
    nowMs: number,
  ): Promise<JobRow | undefined> {
    const dueAt = dueMs(nowMs);
    // The first of each name by its own index: a name that waits in thousands hides no other.
    const heads = names.map(
      (name) => sql`select * from (
        select key, priority, turn, added_ms from queue_jobs
        where state = 'waiting' and name = ${name} and ${dueAt} <= ${nowMs}
        order by priority, turn, added_ms limit 1 ${this.skipLocked}) as head`,
    );
    const { rows } = await sql<JobRow>`
      update queue_jobs set state = 'active', lease_token = ${holder.token},
        lease_until_ms = ${holder.untilMs}, worker = ${holder.worker},
        started_ms = ${nowMs}, progress = 0
      where state = 'waiting' and key = (
        select key from (${sql.join(heads, sql` union all `)}) as heads
        order by priority, turn, added_ms limit 1)
      returning *`.execute(this.db);
    return rows[0];
  }

  /** When is the next job of these names due? A read: idle consumers write nothing. */
  async nextDueMs(names: readonly JobName[], nowMs: number): Promise<number | undefined> {
    const latest = nowMs + aheadMs;
    // As `dueMs` has it, each part by an index of its own.
    const firsts = names.map(
      (name) => sql`select min(run_at_ms) as due from queue_jobs
          where state = 'waiting' and name = ${name}
        union all select min(0) as due from queue_jobs
          where state = 'waiting' and name = ${name} and added_ms > ${latest}
        union all select min(0) as due from queue_jobs
          where state = 'waiting' and name = ${name} and started_ms > ${latest}`,
    );
    const { rows } = await sql<{ due: number | null }>`
      select min(due) as due from (${sql.join(firsts, sql` union all `)}) as firsts`.execute(
      this.db,
    );
    return rows[0]?.due == null ? undefined : Number(rows[0].due);
  }

  /** Renew leases. @returns the tokens still ours, with their cancel flags. */
  async renew(tokens: readonly string[], untilMs: number) {
    return this.db
      .updateTable('queue_jobs')
      .set({ lease_until_ms: untilMs })
      .where('lease_token', 'in', tokens)
      .where('state', '=', 'active')
      .returning(['lease_token', 'cancel_requested'])
      .execute();
  }

  async saveProgress(token: string, share: number): Promise<void> {
    await this.db
      .updateTable('queue_jobs')
      .set({ progress: share })
      .where('lease_token', '=', token)
      .execute();
  }

  /** Write an attempt's end. @returns false when the lease was lost meanwhile. */
  async finish(token: string, change: FinishChange): Promise<boolean> {
    const { failed, ...columns } = change;
    const { numUpdatedRows } = await this.db
      .updateTable('queue_jobs')
      .set((eb) => ({
        ...columns,
        lease_token: null,
        lease_until_ms: null,
        cancel_requested: 0,
        failures: failed ? eb('failures', '+', 1) : eb.ref('failures'),
      }))
      .where('lease_token', '=', token)
      .where('state', '=', 'active')
      .executeTakeFirst();
    return Number(numUpdatedRows) > 0;
  }

  /** What is under way, everywhere. */
  async leases(): Promise<Lease[]> {
    const rows = await this.db
      .selectFrom('queue_jobs')
      .where('state', '=', 'active')
      .where('lease_token', 'is not', null)
      .select(['lease_token', 'lease_until_ms'])
      .execute();
    return rows.map((row) => ({ token: row.lease_token!, untilMs: Number(row.lease_until_ms) }));
  }

  /** A job whose worker went silent waits again; a wished cancel comes true. */
  async takeOver({ token, untilMs }: Lease, nowMs: number): Promise<number> {
    const { numAffectedRows } = await sql`
      update queue_jobs set
        state = case when cancel_requested = 1 then 'cancelled' else 'waiting' end,
        finished_ms = case when cancel_requested = 1 then ${nowMs} else finished_ms end,
        lost_workers = lost_workers + 1, lease_token = null, lease_until_ms = null
      where state = 'active' and lease_token = ${token}
        and lease_until_ms = ${untilMs}`.execute(this.db);
    return Number(numAffectedRows ?? 0);
  }

  /** Two statements: a waiting job is cancelled at once, a running one is asked to stop. */
  async cancel(key: string, nowMs: number): Promise<'cancelled' | 'asked' | 'no'> {
    const done = await this.db
      .updateTable('queue_jobs')
      .set({ state: 'cancelled', finished_ms: nowMs })
      .where('key', '=', key)
      .where('state', '=', 'waiting')
      .executeTakeFirst();
    if (Number(done.numUpdatedRows) > 0) return 'cancelled';
    const asked = await this.db
      .updateTable('queue_jobs')
      .set({ cancel_requested: 1 })
      .where('key', '=', key)
      .where('state', '=', 'active')
      .executeTakeFirst();
    return Number(asked.numUpdatedRows) > 0 ? 'asked' : 'no';
  }

  async retry(key: string, nowMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('queue_jobs')
      .set({
        state: 'waiting',
        run_at_ms: nowMs,
        failures: 0,
        lost_workers: 0,
        finished_ms: null,
        last_error: null,
        worker: null,
      })
      .where('key', '=', key)
      .where('state', 'in', ['dead', 'cancelled'])
      .executeTakeFirst();
    return Number(numUpdatedRows) > 0;
  }

  /** Forget finished jobs. */
  async clean(states: readonly StoredState[], beforeMs: number): Promise<number> {
    let deleted = 0;
    for (const state of states) {
      for (let last = cleanRows; last === cleanRows; deleted += last) {
        const { numDeletedRows } = await this.db
          .deleteFrom('queue_jobs')
          .where('key', 'in', (eb) =>
            eb
              .selectFrom('queue_jobs')
              .select('key')
              .where('state', '=', state)
              .where('finished_ms', '<', beforeMs)
              .limit(cleanRows),
          )
          .executeTakeFirst();
        last = Number(numDeletedRows);
        // SQLite works without giving way: others have their turn in between.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return deleted;
  }

  /** Next turn of a group: after its own waiting jobs, never before the turn being served. */
  private nextTurn(job: NewJob, nowMs: number): RawBuilder<number> {
    return sql<number>`${this.greatest}(
      coalesce((select min(turn) - 1 from queue_jobs where state = 'waiting'
        and priority = ${job.priority} and run_at_ms <= ${nowMs}), 0),
      coalesce((select max(turn) from queue_jobs where state in ('waiting', 'active')
        and priority = ${job.priority} and customer_group = ${job.group}), 0)
    ) + 1`;
  }
}

/** The clock of another process may be a little ahead, ms. */
const aheadMs = 60_000;

/**
 * When a waiting job is due. One that was added or begun in the future was so by a clock that has been set
 * back since: its own time says nothing, and it is due now. Handlers are made for coming early.
 */
function dueMs(nowMs: number): RawBuilder<number> {
  const latest = nowMs + aheadMs;
  return sql<number>`(case when added_ms > ${latest} or coalesce(started_ms, 0) > ${latest}
    then 0 else run_at_ms end)`;
}

/** Columns an attempt's end writes, and whether it counts as a failure. */
export type FinishChange = Partial<
  Pick<JobRow, 'state' | 'run_at_ms' | 'finished_ms' | 'last_error' | 'answer'>
> & { readonly failed?: boolean };
