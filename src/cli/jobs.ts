import { existsSync } from 'node:fs';
import type { Database } from '../storage/database.js';
import { changeJob } from '../studio/operator-jobs.js';
import { type JobQueue, type JobState, jobStates } from '../studio/ports/queue.js';
import type { Config } from './config.js';
import { WrongUse } from './errors.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { createIds } from './ids.js';
import { openQueue, openStudioDatabase } from './open-queue.js';
import { type GlobalOptions, openShell } from './open-shell.js';
import { placesOf } from './places.js';
import { openLogger } from './process.js';
import type { Shell } from './shell.js';
import { whoAmI } from './who-am-i.js';

/** `huancai jobs list`. */
export async function listJobs(
  options: GlobalOptions & { state?: string[]; limit: number },
): Promise<ExitCode> {
  const wanted = options.state ?? ['waiting', 'active', 'delayed', 'dead'];
  for (const one of wanted)
    if (!jobStates.includes(one as JobState))
      throw new WrongUse(`--state ${one}: not one of ${jobStates}`);
  return withQueue(options, async (queue, { output, t }) => {
    const counts = await queue.counts();
    const jobs = await queue.list({ states: wanted as JobState[], limit: options.limit });
    for (const job of jobs) {
      output.record({ type: 'job', ...job });
      const added = new Date(job.addedMs).toISOString();
      const why = job.lastError ? `  ${job.lastError}` : '';
      output.line(`${job.state.padEnd(9)}  ${added}  ${job.key}  ${job.attempt}x${why}`);
    }
    output.record({ type: 'counts', ...counts });
    output.line(t('jobs.counts', counts));
    return exitCodes.done;
  });
}

/** `huancai jobs retry|cancel`. @returns someFailed when a key was not in a fitting state. */
export async function changeJobs(
  action: 'retry' | 'cancel',
  keys: readonly string[],
  options: GlobalOptions,
): Promise<ExitCode> {
  return withQueue(options, async (queue, { output, t }, change) => {
    let missed = 0;
    for (const key of keys) {
      const changed = await change(action, key);
      if (!changed) missed++;
      const state = (await queue.find(key))?.state;
      output.record({ type: action, key, changed, state: state ?? null });
      const done = changed ? `jobs.${action}` : state ? 'jobs.unfit' : 'jobs.unknown';
      output.line(t(done, { key, state: state ?? '' }));
    }
    return missed > 0 ? exitCodes.someFailed : exitCodes.done;
  });
}

/** Beside the studio's database it is in the operator's log; a box of a fleet has none. */
type Change = (wanted: 'retry' | 'cancel', key: string) => Promise<boolean>;

const hasDatabase = (config: Config) =>
  config.database.url !== null || existsSync(placesOf(config).database);

async function withQueue(
  options: GlobalOptions,
  work: (queue: JobQueue, shell: Shell, change: Change) => Promise<ExitCode>,
): Promise<ExitCode> {
  const shell = openShell(options);
  const clock = { now: shell.now };
  let opened: Database | undefined;
  const database = async () => {
    opened = await openStudioDatabase(shell);
    return opened;
  };
  const log = openLogger(shell);
  const queue = await openQueue({ clock, logger: log, database }, shell.config);
  const change: Change = async (wanted, key) => {
    if (!opened && !hasDatabase(shell.config)) return queue[wanted](key);
    opened ??= await openStudioDatabase(shell);
    const { createStore } = await import('../storage/store.js');
    const store = createStore(opened);
    return changeJob({ store, queue, clock, log, ids: createIds(clock) }, whoAmI(), wanted, key);
  };
  try {
    return await work(queue, shell, change);
  } finally {
    await queue.close();
    await opened?.close();
  }
}
