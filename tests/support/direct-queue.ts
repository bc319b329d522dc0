import { StudioError, UnexpectedFault } from '../../src/studio/errors/index.js';
import type { Job, NewJob } from '../../src/studio/jobs.js';
import type { Pipeline } from '../../src/studio/pipeline.js';
import type { Clock } from '../../src/studio/ports/basics.js';
import type { JobInfo, JobQueue, JobState } from '../../src/studio/ports/queue.js';
import type { Store } from '../../src/studio/ports/store.js';

interface Entry {
  readonly job: NewJob;
  state: JobState;
  attempt: number;
  lastError?: string;
  answer?: unknown;
}

/** The process died here: thrown by a test's parts, it ends the drain as kill -9 ends a process. */
export class Killed extends Error {}

/** A queue that runs jobs when the test says so, one after the other: no timers, no luck. */
export interface DirectQueue extends JobQueue {
  /** Relay the outbox and run what is due, and what that leads to, until nothing is left. */
  drain(pipeline: Pipeline): Promise<void>;
  /** As a Redis that was flushed. */
  flush(): void;
  readonly entries: Map<string, Entry>;
}

const maxAttempts = 8;

export function createDirectQueue({ store, clock }: { store: Store; clock: Clock }): DirectQueue {
  const entries = new Map<string, Entry>();
  const listeners = new Set<Parameters<JobQueue['onProgress']>[0]>();
  const info = ({ job, state, attempt, lastError, answer }: Entry): JobInfo => ({
    ...{ name: job.name, key: job.key, group: job.group, priority: job.priority },
    ...{ state, attempt, addedMs: 0, lastError, answer },
  });

  async function relay(): Promise<number> {
    const pending = await store.read.outbox.pending(1_000);
    for (const { createdMs: _, relayedMs: __, ...job } of pending) await queue.add(job);
    const keys = pending.map((job) => job.key);
    await store.transaction(({ outbox }) => outbox.relayed(keys, clock.now()));
    return pending.length;
  }

  function next(): Entry | undefined {
    const due = [...entries.values()].filter(
      ({ state, job }) => state === 'waiting' && (job.notBeforeMs ?? 0) <= clock.now(),
    );
    return due.sort((one, other) => one.job.priority - other.job.priority)[0];
  }

  async function run(entry: Entry, { handlers, onDead }: Pipeline): Promise<void> {
    const { job } = entry;
    entry.attempt += 1;
    entry.state = 'active';
    const live: Job = {
      ...job,
      attempt: entry.attempt,
      signal: new AbortController().signal,
      progress: (share) => {
        for (const listener of listeners) listener({ key: job.key, name: job.name, share });
      },
      answer: (value) => {
        entry.answer = value;
      },
    };
    try {
      await (handlers[job.name] as (job: Job) => Promise<void>)(live);
      entry.state = 'done';
    } catch (error) {
      if (error instanceof Killed) {
        entry.state = 'waiting';
        throw error;
      }
      const reason = error instanceof StudioError ? error : new UnexpectedFault(error);
      entry.lastError = `${reason.code}: ${reason.message}`;
      const dead = reason.retry === 'never' || entry.attempt >= maxAttempts;
      entry.state = dead ? 'dead' : 'waiting';
      if (dead) await onDead(job, reason);
    }
  }

  const queue: DirectQueue = {
    entries,
    flush: () => entries.clear(),
    drain: async (pipeline) => {
      for (;;) {
        await relay();
        const entry = next();
        if (!entry) return;
        await run(entry, pipeline);
      }
    },
    add: async (job) => {
      if (entries.has(job.key)) return 'exists';
      entries.set(job.key, { job, state: 'waiting', attempt: 0 });
      return 'added';
    },
    consume: () => {
      throw new Error('drain instead');
    },
    find: async (key) => {
      const entry = entries.get(key);
      return entry && info(entry);
    },
    places: async (name, limit) => {
      const waiting = [...entries.values()].filter(
        (entry) => entry.state === 'waiting' && entry.job.name === name,
      );
      const keys = waiting.slice(0, limit).map((entry) => entry.job.key);
      return new Map(keys.map((key, i) => [key, { position: i, etaSeconds: i + 1 }]));
    },
    position: async (key) => {
      const waiting = [...entries.values()].filter((entry) => entry.state === 'waiting');
      const position = waiting.findIndex((entry) => entry.job.key === key);
      return position < 0 ? undefined : { position, etaSeconds: position + 1 };
    },
    list: async ({ states, limit }) =>
      [...entries.values()]
        .filter((entry) => !states || states.includes(entry.state))
        .slice(0, limit)
        .map(info),
    counts: async () => {
      const counts = { waiting: 0, active: 0, delayed: 0, done: 0, dead: 0, cancelled: 0 };
      for (const { state } of entries.values()) counts[state] += 1;
      return counts;
    },
    retry: async (key) => {
      const entry = entries.get(key);
      if (entry?.state !== 'dead' && entry?.state !== 'cancelled') return false;
      entry.state = 'waiting';
      entry.attempt = 0;
      return true;
    },
    cancel: async (key) => {
      const entry = entries.get(key);
      if (entry?.state !== 'waiting') return false;
      entry.state = 'cancelled';
      return true;
    },
    onProgress: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: async () => {},
    close: async () => {},
  };
  return queue;
}
