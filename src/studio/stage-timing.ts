import type { Job, JobName } from './jobs.js';
import type { Clock } from './ports/basics.js';
import type { Metrics } from './ports/metrics.js';

/** A handler whose waits, durations and ends are told. */
export function timed<N extends JobName>(
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
  run: (job: Job<N>) => Promise<void>,
): (job: Job<N>) => Promise<void> {
  return async (job) => {
    const startedMs = clock.now();
    const { name, priority, readySinceMs } = job;
    // A clock that was set back must not tell of work done before it was wanted.
    const since = (fromMs: number) => Math.max(0, clock.now() - fromMs) / 1000;
    if (readySinceMs !== undefined) metrics.jobWaited(name, priority, since(readySinceMs));
    try {
      await run(job);
      metrics.stageEnded(name, since(startedMs), 'done');
    } catch (error) {
      metrics.stageEnded(name, since(startedMs), 'failed');
      throw error;
    }
  };
}
