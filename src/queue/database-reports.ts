import { type Kysely, sql } from 'kysely';
import type { JobInfo, JobState, PlaceInQueue } from '../studio/ports/queue.js';
import { type JobRow, type QueueTables, toJobInfo } from './database-tables.js';
import { placeOf, placesOf, remainingSeconds, type Speed, SpeedMemory } from './estimate.js';
import { type QueuePolicy, workerSilenceMs } from './policy.js';

const recentRuns = 50;

// Written out, not bound: only so SQLite sees that a partial index has the rows.
const waitingState = sql.lit('waiting' as const);
const activeState = sql.lit('active' as const);

/**
 * Due by now. A sum, so that no index on the time is taken for it: those who wait are wanted in the
 * order of their turns, and nearly all are due.
 */
const isDue = (nowMs: number) => sql<boolean>`run_at_ms + 0 <= ${nowMs}`;

/** Its opposite. */
const isLater = (nowMs: number) => sql<boolean>`run_at_ms + 0 > ${nowMs}`;

/** Questions about the tables; they change nothing. */
export class Reports {
  private readonly speeds = new SpeedMemory();

  constructor(
    private readonly db: Kysely<QueueTables>,
    private readonly policy: QueuePolicy,
  ) {}

  async row(key: string): Promise<JobRow | undefined> {
    return this.db
      .selectFrom('queue_jobs')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirst() as Promise<JobRow | undefined>;
  }

  async position(key: string, nowMs: number) {
    const job = await this.row(key);
    if (!job || (job.state !== 'waiting' && job.state !== 'active')) return undefined;
    const speed = await this.speeds.recall(job.name, nowMs, () => this.speedOf(job.name, nowMs));
    if (job.state === 'active') {
      const runMs = nowMs - Number(job.started_ms);
      return { position: 0, etaSeconds: remainingSeconds(runMs, Number(job.progress), speed) };
    }
    const { ahead, active } = await this.before(job, nowMs);
    return placeOf(ahead, active, speed, Number(job.run_at_ms) - nowMs);
  }

  /** Running jobs and the first `limit` due ones, in the order in which they will be taken. */
  async places(name: string, limit: number, nowMs: number): Promise<Map<string, PlaceInQueue>> {
    const speed = await this.speeds.recall(name, nowMs, () => this.speedOf(name, nowMs));
    const ofName = this.db.selectFrom('queue_jobs').where('name', '=', name);
    const active = await ofName
      .where('state', '=', activeState)
      .select(['key', 'started_ms', 'progress'])
      .execute();
    const waiting = await ofName
      .where('state', '=', waitingState)
      .where(isDue(nowMs))
      .orderBy('priority')
      .orderBy('turn')
      .orderBy('added_ms')
      .limit(limit)
      .select('key')
      .execute();
    const running = active.map(({ key, started_ms, progress }) => ({
      ...{ key, runMs: nowMs - Number(started_ms), share: Number(progress) },
    }));
    return placesOf(
      waiting.map((job) => job.key),
      running,
      speed,
    );
  }

  /** Newest first. */
  async list(
    filter: { states?: readonly JobState[]; limit: number },
    nowMs: number,
  ): Promise<JobInfo[]> {
    const { states, limit } = filter;
    const newest = this.db
      .selectFrom('queue_jobs')
      .selectAll()
      .orderBy('added_ms', 'desc')
      .limit(limit);
    // Each state by its own index: few dead ones are found among a million done.
    const asked = states?.map((state) => {
      if (state !== 'delayed' && state !== 'waiting') return newest.where('state', '=', state);
      const due = state === 'delayed' ? isLater(nowMs) : isDue(nowMs);
      return newest.where('state', '=', waitingState).where(due);
    });
    const rows: JobRow[] = [];
    for (const query of asked ?? [newest]) rows.push(...((await query.execute()) as JobRow[]));
    rows.sort((one, other) => Number(other.added_ms) - Number(one.added_ms));
    return rows.slice(0, limit).map((row) => toJobInfo(row, nowMs));
  }

  async counts(nowMs: number): Promise<Record<JobState, number>> {
    const counts = { waiting: 0, active: 0, delayed: 0, done: 0, dead: 0, cancelled: 0 };
    const rows = await this.db
      .selectFrom('queue_jobs')
      .groupBy('state')
      .select((eb) => ['state', eb.fn.countAll().as('n')])
      .execute();
    for (const { state, n } of rows) counts[state] = Number(n);
    const delayed = await this.db
      .selectFrom('queue_jobs')
      .where('state', '=', waitingState)
      .where('run_at_ms', '>', nowMs)
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirstOrThrow();
    counts.delayed = Number(delayed.n);
    counts.waiting = Math.max(0, counts.waiting - counts.delayed);
    return counts;
  }

  async activeProgress() {
    return this.db
      .selectFrom('queue_jobs')
      .select(['key', 'name', 'progress', 'worker'])
      .where('state', '=', activeState)
      .where('progress', '>', 0)
      .execute();
  }

  private async speedOf(name: string, nowMs: number): Promise<Speed> {
    const runs = await this.db
      .selectFrom('queue_jobs')
      .select(['started_ms', 'finished_ms'])
      .where('name', '=', name)
      .where('state', '=', 'done')
      .orderBy('finished_ms', 'desc')
      .limit(recentRuns)
      .execute();
    const workers = await this.db
      .selectFrom('queue_workers')
      .selectAll()
      .where('seen_ms', '>', nowMs - workerSilenceMs)
      .execute();
    const totalMs = runs.reduce((sum, r) => sum + Number(r.finished_ms) - Number(r.started_ms), 0);
    const able = workers.filter((one) => (JSON.parse(one.names) as string[]).includes(name));
    const places = able.reduce((sum, worker) => sum + Number(worker.concurrency), 0);
    return {
      meanMs: runs.length > 0 ? totalMs / runs.length : this.policy.typicalJobMs,
      places,
      resting: able.length > 0 && places === 0,
    };
  }

  /** Due jobs of its name that come before it, and those that run. */
  private async before(job: JobRow, nowMs: number): Promise<{ ahead: number; active: number }> {
    const count = this.db
      .selectFrom('queue_jobs')
      .where('name', '=', job.name)
      .select((eb) => eb.fn.countAll().as('n'));
    const active = await count.where('state', '=', activeState).executeTakeFirstOrThrow();
    const ahead = await count
      .where('state', '=', waitingState)
      .where('run_at_ms', '<=', nowMs)
      .where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple('priority', 'turn', 'added_ms'),
          '<',
          tuple(Number(job.priority), Number(job.turn), Number(job.added_ms)),
        ),
      )
      .executeTakeFirstOrThrow();
    return { ahead: Number(ahead.n), active: Number(active.n) };
  }
}
