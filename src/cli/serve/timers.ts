import type { Logger } from '../../studio/ports/basics.js';

/** A recurring duty, of the studio's sweepers or the shell's own. */
export interface TimedDuty {
  readonly name: string;
  readonly everyMs: number;
  /** @param stop aborted: end soon. */
  readonly run: (stop: AbortSignal) => Promise<unknown>;
}

export interface Timers {
  /** No further runs; waits for those under way. */
  stop(): Promise<void>;
}

/** Run duties on their schedules, never one of them twice at once; a fault waits for the next turn. */
export function startDuties(duties: readonly TimedDuty[], logger: Logger): Timers {
  const stopping = new AbortController();
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Map<string, Promise<void>>();

  const turn = async ({ name, run }: TimedDuty): Promise<void> => {
    try {
      await run(stopping.signal);
    } catch (error) {
      logger.warn('duty.failed', { duty: name, error });
    }
  };
  const schedule = (duty: TimedDuty, inMs: number): void => {
    const start = async () => {
      const work = turn(duty);
      running.set(duty.name, work);
      await work;
      running.delete(duty.name);
      if (!stopping.signal.aborted) schedule(duty, duty.everyMs);
    };
    timers.set(duty.name, setTimeout(start, inMs));
  };
  // The first turn comes soon, whatever the schedule: it mends what the last crash left.
  for (const duty of duties) schedule(duty, Math.min(duty.everyMs, 5_000));
  return {
    stop: async () => {
      stopping.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.allSettled(running.values());
    },
  };
}
