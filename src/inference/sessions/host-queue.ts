import { Cancelled, InferenceFailed } from '../../studio/errors/index.js';

interface Entry {
  readonly work: () => Promise<void>;
  readonly reject: (error: Error) => void;
}

/**
 * First come, first served, one at a time. A caller who aborts is released at once: while it waits
 * its entry is removed; while it runs its result is dropped and `onAbandoned` decides about the run.
 */
export function createHostQueue(
  maxQueued: number,
  onAbandoned: (stillRuns: () => boolean) => void,
) {
  const entries: Entry[] = [];
  let running = false;
  let closed = false;
  let onIdle: (() => void) | undefined;

  async function pump(): Promise<void> {
    if (running) return;
    running = true;
    for (let entry = entries.shift(); entry; entry = entries.shift()) await entry.work();
    running = false;
    onIdle?.();
  }

  function add<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (closed) return Promise.reject(new InferenceFailed('the inference host is closed'));
    if (signal?.aborted) return Promise.reject(new Cancelled());
    if (entries.length >= maxQueued)
      return Promise.reject(new InferenceFailed(`${maxQueued} requests are waiting already`));
    return new Promise<T>((resolve, reject) => {
      let state: 'waiting' | 'running' | 'done' = 'waiting';
      const abort = () => {
        reject(new Cancelled());
        const at = entries.indexOf(entry);
        if (at >= 0) entries.splice(at, 1);
        else if (state === 'running') onAbandoned(() => state === 'running');
      };
      const entry: Entry = {
        reject,
        work: async () => {
          state = 'running';
          await task().then(resolve, reject);
          state = 'done';
          signal?.removeEventListener('abort', abort);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      entries.push(entry);
      void pump();
    });
  }

  return {
    add,
    get queued() {
      return entries.length;
    },
    get running() {
      return running;
    },
    /** Take nothing new. Resolves when the queue is empty. */
    drain(): Promise<void> {
      closed = true;
      if (!running) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = resolve;
      });
    },
    /** Refuse everything that waits. */
    refuse(error: Error): void {
      for (const entry of entries.splice(0)) entry.reject(error);
    },
  };
}
