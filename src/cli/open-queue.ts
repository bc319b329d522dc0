import { mkdirSync } from 'node:fs';
import type { Kysely } from 'kysely';
import type { QueueTables } from '../queue/database-tables.js';
import type { Database } from '../storage/database.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { JobQueue } from '../studio/ports/queue.js';
import type { Config } from './config.js';
import { placesOf } from './places.js';
import type { Shell } from './shell.js';
import { migrationNotice } from './slow-notice.js';
import { version } from './version.js';

/** What a process that customers wait for grants a statement, ms. */
export const servingAnswerMs = 8_000;

/**
 * The studio's database, its schema up to date. Loaded when asked for: most boxes have none.
 * @param answerTimeoutMs for a statement; a report or an audit may take longer than a customer waits.
 */
export async function openStudioDatabase(
  shell: Pick<Shell, 'config' | 'now' | 'output' | 't'>,
  answerTimeoutMs?: number,
): Promise<Database> {
  const { config, now } = shell;
  const { openMigratedDatabase } = await import('../storage/database.js');
  const { url, connections } = config.database;
  mkdirSync(config.paths.dataDir, { recursive: true, mode: 0o700 });
  const file = placesOf(config).database;
  const program = version();
  return openMigratedDatabase(
    { file, url: url ?? undefined, connections, answerTimeoutMs, program },
    { now },
    migrationNotice(shell),
  );
}

/**
 * The queue the settings ask for: bull with REDIS_URL, else a table in the database. The other one
 * is not loaded.
 * @param deps `database` is asked for only when it is needed.
 */
export async function openQueue(
  deps: { clock: Clock; logger: Logger; database: () => Promise<Database> },
  config: Config,
): Promise<JobQueue> {
  const { redisUrl, pollMs, leaseMs, maxAttempts, maxLostWorkers, keepDoneDays } = config.queue;
  const keepDoneMs = keepDoneDays * 86_400_000;
  const policy = { leaseMs, maxAttempts, maxLostWorkers, keepDoneMs };
  if (redisUrl) {
    const { createBullQueue } = await import('../queue/bull-queue.js');
    const { maxLostWorkersPerPhoto } = config.queue;
    return createBullQueue(deps, { redisUrl, ...policy, maxLostWorkersPerPhoto });
  }
  const { createDatabaseQueue } = await import('../queue/database-queue.js');
  const { relaxed, dialect } = await deps.database();
  // A job taken or finished that a power cut undoes is done again: handlers are made for that.
  const db = relaxed as unknown as Kysely<QueueTables>;
  return createDatabaseQueue({ db, ...deps }, { dialect, pollMs, ...policy });
}
