import { Worker } from 'node:worker_threads';
import { compiledEntry } from '../entry-point.js';
import type { Prepared, PrepareTask, RenderTask, StripTask, ThreadMessage } from './strip-job.js';
import { NEXT_STRIP, STOP } from './strip-job.js';

/** Threads that do the arithmetic, so that the caller's event loop never waits for it. */
export interface ThreadPool {
  prepare(task: PrepareTask): Promise<Prepared>;
  /** All threads share the strips. @param onStrip after each. */
  runStrips(task: Omit<StripTask, 'control'>, control: StripControl): Promise<void>;
  close(): Promise<void>;
}

/** How strips are followed and stopped. */
export interface StripControl {
  readonly signal?: AbortSignal;
  readonly onStrip?: () => void;
}

interface Pending {
  readonly resolve: (result: Prepared | undefined) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress?: () => void;
}

interface Thread {
  run(task: RenderTask, onProgress?: () => void): Promise<Prepared | undefined>;
  busy(): number;
  /** Ended by a fault of ours; the pool starts another in its place. */
  dead(): boolean;
  stop(): Promise<void>;
}

/** @param threads 1 or more; started at the first task. */
export function createThreadPool(threads: number): ThreadPool {
  let pool: Thread[] = [];
  const all = () => {
    pool = pool.filter((thread) => !thread.dead());
    while (pool.length < threads) pool.push(startThread());
    return pool;
  };
  return {
    async prepare(task) {
      const idle = all().reduce((a, b) => (b.busy() < a.busy() ? b : a));
      return (await idle.run(task))!;
    },
    async runStrips(task, { signal, onStrip }) {
      const control = new Int32Array(new SharedArrayBuffer(8));
      const stop = () => Atomics.store(control, STOP, 1);
      signal?.addEventListener('abort', stop);
      try {
        Atomics.store(control, NEXT_STRIP, 0);
        const runs = all().map((t) => t.run({ ...task, control }, onStrip).catch(stopAll));
        await Promise.all(runs);
      } finally {
        signal?.removeEventListener('abort', stop);
      }
      function stopAll(error: unknown): never {
        stop();
        throw error;
      }
    },
    async close() {
      await Promise.all(pool.splice(0).map((thread) => thread.stop()));
    },
  };
}

function startThread(): Thread {
  const worker = new Worker(compiledEntry(__dirname, 'render-thread.js'));
  const pending: Pending[] = [];
  let ended = false;
  const fail = (error: Error) => {
    ended = true;
    for (const task of pending.splice(0)) task.reject(error);
  };
  // An idle thread must not keep the process alive.
  worker.unref();
  worker.on('message', (message: ThreadMessage) => {
    if (message.kind === 'progress') return pending[0]?.onProgress?.();
    const task = pending.shift();
    if (pending.length === 0) worker.unref();
    if (message.kind === 'done') task?.resolve(message.result);
    else task?.reject(Object.assign(new Error(message.message), { code: message.code }));
  });
  worker.on('error', (error) => fail(error as Error));
  worker.on('exit', () => fail(new Error('the render thread has ended')));
  return {
    busy: () => pending.length,
    dead: () => ended,
    run: (task, onProgress) =>
      new Promise((resolve, reject) => {
        pending.push({ resolve, reject, onProgress });
        worker.ref();
        worker.postMessage(task);
      }),
    stop: async () => void (await worker.terminate()),
  };
}
