import type { Kysely } from 'kysely';
import type { JobInfo, JobState } from '../studio/ports/queue.js';
import { type JobRow, type QueueTables, toJobInfo } from './database-tables.js';
import { estimateSeconds, remainingSeconds, type Speed } from './estimate.js';
import type { QueuePolicy } from './policy.js';

/** A worker unseen for this long is gone, ms. */
export const workerSilenceMs = 30_000;
const recentRuns = 50;

/** Questions about the tables; they change nothing. */
export function createReports(db: Kysely<QueueTables>, policy: QueuePolicy) {
  const speeds = new Map<string, { atMs: number; speed: Speed }>();

  const row = (key: string) =>
    db.selectFrom('queue_jobs').selectAll().where('key', '=', key).executeTakeFirst();

  /** Remembered for two seconds: every watcher of every photo asks. */
  async function speedOf(name: string, nowMs: number): Promise<Speed> {
    const known = speeds.get(name);
    if (known && nowMs - known.atMs < 2_000) return known.speed;
    const runs = await db
      .selectFrom('queue_jobs')
      .select(['started_ms', 'finished_ms'])
      .where('name', '=', name)
      .where('state', '=', 'done')
      .orderBy('finished_ms', 'desc')
      .limit(recentRuns)
      .execute();
    const workers = await db
      .selectFrom('queue_workers')
      .selectAll()
      .where('seen_ms', '>', nowMs - workerSilenceMs)
      .execute();
    const totalMs = runs.reduce((sum, r) => sum + Number(r.finished_ms) - Number(r.started_ms), 0);
    const speed = {
      meanMs: runs.length > 0 ? totalMs / runs.length : policy.typicalJobMs,
      places: workers
        .filter((w) => (JSON.parse(w.names) as string[]).includes(name))
        .reduce((sum, w) => sum + Number(w.concurrency), 0),
    };
    speeds.set(name, { atMs: nowMs, speed });
    return speed;
  }

  async function ahead(job: JobRow, nowMs: number): Promise<{ ahead: number; active: number }> {
    const counted = await db
      .selectFrom('queue_jobs')
      .where('name', '=', job.name)
      .where((eb) =>
        eb.or([
          eb('state', '=', 'active'),
          eb.and([
            eb('state', '=', 'waiting'),
            eb('run_at_ms', '<=', nowMs),
            eb.or([
              eb('priority', '<', job.priority),
              eb.and([eb('priority', '=', job.priority), eb('turn', '<', job.turn)]),
              eb.and([
                eb('priority', '=', job.priority),
                eb('turn', '=', job.turn),
                eb('added_ms', '<', job.added_ms),
              ]),
            ]),
          ]),
        ]),
      )
      .groupBy('state')
      .select((eb) => ['state', eb.fn.countAll().as('n')])
      .execute();
    const of = (state: string) => Number(counted.find((c) => c.state === state)?.n ?? 0);
    return { ahead: of('waiting'), active: of('active') };
  }

  return {
    row,

    async position(key: string, nowMs: number) {
      const job = await row(key);
      if (!job || (job.state !== 'waiting' && job.state !== 'active')) return undefined;
      const speed = await speedOf(job.name, nowMs);
      if (job.state === 'active') {
        const runMs = nowMs - Number(job.started_ms);
        return { position: 0, etaSeconds: remainingSeconds(runMs, Number(job.progress), speed) };
      }
      const { ahead: before, active } = await ahead(job, nowMs);
      const delaySeconds = Math.max(0, Math.ceil((Number(job.run_at_ms) - nowMs) / 1000));
      const etaSeconds = Math.max(delaySeconds, estimateSeconds(before, active, speed));
      return { position: before, etaSeconds };
    },

    /** Newest first. */
    async list(
      filter: { states?: readonly JobState[]; limit: number },
      nowMs: number,
    ): Promise<JobInfo[]> {
      let query = db.selectFrom('queue_jobs').selectAll();
      const states = filter.states;
      if (states) {
        query = query.where((eb) =>
          eb.or(
            states.map((state) => {
              if (state !== 'delayed' && state !== 'waiting') return eb('state', '=', state);
              const due = eb('run_at_ms', state === 'delayed' ? '>' : '<=', nowMs);
              return eb.and([eb('state', '=', 'waiting'), due]);
            }),
          ),
        );
      }
      const rows = await query.orderBy('added_ms', 'desc').limit(filter.limit).execute();
      return rows.map((r) => toJobInfo(r, nowMs));
    },

    async counts(nowMs: number): Promise<Record<JobState, number>> {
      const counts = { waiting: 0, active: 0, delayed: 0, done: 0, dead: 0, cancelled: 0 };
      const rows = await db
        .selectFrom('queue_jobs')
        .groupBy('state')
        .select((eb) => ['state', eb.fn.countAll().as('n')])
        .execute();
      for (const { state, n } of rows) counts[state] = Number(n);
      const delayed = await db
        .selectFrom('queue_jobs')
        .where('state', '=', 'waiting')
        .where('run_at_ms', '>', nowMs)
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow();
      counts.delayed = Number(delayed.n);
      counts.waiting = Math.max(0, counts.waiting - counts.delayed);
      return counts;
    },

    async activeProgress() {
      return db
        .selectFrom('queue_jobs')
        .select(['key', 'name', 'progress', 'worker'])
        .where('state', '=', 'active')
        .where('progress', '>', 0)
        .execute();
    },
  };
}
