import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { JobRow } from '../../src/queue/database-tables.js';
import {
  BlobsAway,
  CardPaused,
  ChannelAway,
  DiskUnavailable,
  PhotoUnreadable,
  type StudioError,
} from '../../src/studio/errors/index.js';
import type { Handlers, Job, NewJob } from '../../src/studio/jobs.js';
import type { Consumer, JobQueue, JobState } from '../../src/studio/ports/queue.js';
import { until } from '../support/until.js';

/** Short times, so that leases and backoffs can be waited for. */
export const contractPolicy = {
  leaseMs: 1_500,
  maxAttempts: 3,
  maxLostWorkers: 2,
  backoffFirstMs: 60,
  backoffMaxMs: 200,
};

export interface QueueHarness {
  /** Arguments of tests/support/queue-victim.cjs: a worker process to be killed. */
  readonly victim: readonly [kind: string, place: string];
  /** A queue as another process would open it, on the same server or database. */
  open(): Promise<JobQueue>;
  /** Forget everything. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

type NotifyHandler = Handlers['notify'];

/** Every promise of the `JobQueue` port, on a real server. */
export function queueContract(start: () => Promise<QueueHarness>): void {
  let harness: QueueHarness;
  let queue: JobQueue;
  const opened: JobQueue[] = [];
  const consumers: Consumer[] = [];

  beforeAll(async () => {
    harness = await start();
  });
  beforeEach(async () => {
    await harness.reset();
    queue = await open();
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((c) => c.close(0)));
    await Promise.all(opened.splice(0).map((q) => q.close()));
  });
  afterAll(async () => harness?.stop());

  async function open(): Promise<JobQueue> {
    const another = await harness.open();
    opened.push(another);
    return another;
  }

  function consume(
    handler: NotifyHandler,
    options: Partial<Parameters<JobQueue['consume']>[2]> & { on?: JobQueue } = {},
  ): Consumer {
    const { on = queue, ...rest } = options;
    const consumer = on.consume(
      ['notify'],
      { notify: handler },
      { concurrency: 1, worker: `box:${consumers.length}`, ...rest },
    );
    consumers.push(consumer);
    return consumer;
  }

  const state = async (key: string): Promise<JobState | undefined> =>
    (await queue.find(key))?.state;

  test('runs what was added, payload untouched, and says so', async () => {
    const seen: Job<'notify'>[] = [];
    consume(async (job) => void seen.push(job));
    const job = notify('a', { payload: { text: '照片 "好" \u2028 é' } });
    expect(await queue.add(job)).toBe('added');
    await until(async () => (await state('a')) === 'done');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ ...job, attempt: 1 });
    expect(seen[0]!.signal.aborted).toBe(false);
  });

  test('an answer is kept with the job when it is done, and only then', async () => {
    let attempts = 0;
    consume(async (job) => {
      if (job.key !== 'asked') return;
      attempts += 1;
      job.answer({ attempt: attempts, 照片: ['é', null] });
      if (attempts === 1) throw new DiskUnavailable('/full', 'ENOSPC');
      expect(await queue.find('asked')).not.toHaveProperty('answer');
    });
    await queue.add(notify('asked'));
    await until(async () => (await state('asked')) === 'done');
    const other = await open();
    expect((await other.find('asked'))?.answer).toEqual({ attempt: 2, 照片: ['é', null] });
    await queue.add(notify('silent'));
    await until(async () => (await state('silent')) === 'done');
    expect(await queue.find('silent')).not.toHaveProperty('answer');
  });

  test('a key is added once, also by many at once and after it is done', async () => {
    const other = await open();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? queue : other).add(notify('once'))),
    );
    expect(answers.filter((a) => a === 'added')).toHaveLength(1);
    let runs = 0;
    consume(async () => void runs++);
    await until(async () => (await state('once')) === 'done');
    expect(await queue.add(notify('once'))).toBe('exists');
    await queue.add(notify('after'));
    await until(async () => (await state('after')) === 'done');
    expect(runs).toBe(2);
  });

  test('urgent first, then in order of age', async () => {
    for (const key of ['free1', 'free2']) await queue.add(notify(key, { priority: 5 }));
    await queue.add(notify('paid', { priority: 2 }));
    await queue.add(notify('bulk', { priority: 8 }));
    await queue.add(notify('money', { priority: 1 }));
    const order = await collect(5);
    expect(order).toEqual(['money', 'paid', 'free1', 'free2', 'bulk']);
  });

  test("one customer's fifty do not starve another's one", async () => {
    for (let i = 0; i < 50; i++) await queue.add(notify(`many${i}`, { group: 'cu_many' }));
    await queue.add(notify('single', { group: 'cu_single' }));
    await queue.add(notify('pair1', { group: 'cu_pair' }));
    await queue.add(notify('pair2', { group: 'cu_pair' }));
    const order = await collect(53);
    expect(order.indexOf('single')).toBeLessThanOrEqual(2);
    expect(order.indexOf('pair1')).toBeLessThanOrEqual(2);
    expect(order.indexOf('pair2')).toBeLessThanOrEqual(5);
    const many = order.filter((key) => key.startsWith('many'));
    expect(many).toEqual(Array.from({ length: 50 }, (_, i) => `many${i}`));
  });

  test('a customer who comes while fifty wait joins the present turn', async () => {
    const order: string[] = [];
    const gate = new Gate();
    for (let i = 0; i < 50; i++) await queue.add(notify(`many${i}`, { group: 'cu_many' }));
    consume(async (job) => {
      order.push(job.key);
      if (order.length === 20) await gate.opened;
    });
    await until(() => order.length === 20);
    await queue.add(notify('late', { group: 'cu_late' }));
    gate.open();
    await until(() => order.length === 51);
    expect(order.indexOf('late')).toBeLessThanOrEqual(22);
  });

  test('not before its time, and delayed until then', async () => {
    const dueMs = Date.now() + 600;
    const ran: number[] = [];
    consume(async () => void ran.push(Date.now()));
    await queue.add(notify('later', { notBeforeMs: dueMs }));
    expect(await state('later')).toBe('delayed');
    await until(() => ran.length === 1);
    expect(ran[0]).toBeGreaterThanOrEqual(dueMs - 5);
  });

  test('`later` is retried with backoff until it works', async () => {
    const attempts: number[] = [];
    consume(async (job) => {
      attempts.push(job.attempt);
      if (job.attempt < 3) throw new DiskUnavailable('/data', 'full');
    });
    await queue.add(notify('flaky'));
    await until(async () => (await state('flaky')) === 'done');
    expect(attempts).toEqual([1, 2, 3]);
  });

  test('the last attempt leaves a dead letter with code and text', async () => {
    const heard: [string, string][] = [];
    const onDead = async (job: NewJob, reason: StudioError) =>
      void heard.push([job.key, reason.code]);
    consume(
      async () => {
        throw new ChannelAway('telegram');
      },
      { onDead },
    );
    await queue.add(notify('doomed'));
    await until(async () => (await state('doomed')) === 'dead');
    expect(await queue.find('doomed')).toMatchObject({
      attempt: 3,
      lastError: expect.stringMatching(/^CHANNEL_AWAY: telegram/),
    });
    expect(heard).toEqual([['doomed', 'CHANNEL_AWAY']]);
    expect((await queue.counts()).dead).toBe(1);
    expect((await queue.list({ states: ['dead'], limit: 10 })).map((j) => j.key)).toEqual([
      'doomed',
    ]);
    expect(await queue.add(notify('doomed'))).toBe('exists');
  });

  test('`never` is dead at once', async () => {
    let runs = 0;
    consume(async () => {
      runs++;
      throw new PhotoUnreadable('cut short');
    });
    await queue.add(notify('broken'));
    await until(async () => (await state('broken')) === 'dead');
    expect(runs).toBe(1);
  });

  test('a job stays while nobody could be told of its death', async () => {
    let told = 0;
    const onDead = async () => {
      told++;
      if (told === 1) throw new DiskUnavailable('/data', 'full');
    };
    consume(
      async () => {
        throw new PhotoUnreadable('cut short');
      },
      { onDead },
    );
    await queue.add(notify('tell'));
    await until(async () => (await state('tell')) === 'dead');
    expect(told).toBe(2);
  });

  test('an unforeseen error is retried like `later` and named', async () => {
    let runs = 0;
    consume(async () => {
      runs++;
      throw new TypeError('x is undefined');
    });
    await queue.add(notify('bug'));
    await until(async () => (await state('bug')) === 'dead');
    expect(runs).toBe(3);
    expect((await queue.find('bug'))?.lastError).toBe('UNEXPECTED: x is undefined');
  });

  test('a dead letter can be retried with attempts from zero', async () => {
    let broken = true;
    const attempts: number[] = [];
    consume(async (job) => {
      attempts.push(job.attempt);
      if (broken) throw new ChannelAway('web');
    });
    await queue.add(notify('again'));
    await until(async () => (await state('again')) === 'dead');
    broken = false;
    expect(await queue.retry('again')).toBe(true);
    await until(async () => (await state('again')) === 'done');
    expect(attempts).toEqual([1, 2, 3, 1]);
    expect((await queue.find('again'))?.lastError).toBeUndefined();
    expect(await queue.retry('again')).toBe(false);
    expect(await queue.retry('nobody')).toBe(false);
  });

  test('a waiting job is cancelled at once and never runs; retry brings it back', async () => {
    await queue.add(notify('unwanted'));
    await queue.add(notify('delayed', { notBeforeMs: Date.now() + 60_000 }));
    expect(await queue.cancel('unwanted')).toBe(true);
    expect(await queue.cancel('delayed')).toBe(true);
    expect(await queue.cancel('nobody')).toBe(false);
    expect(await state('unwanted')).toBe('cancelled');
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, cancelled: 2, dead: 0 });
    expect(await queue.add(notify('unwanted'))).toBe('exists');
    const ran: string[] = [];
    consume(async (job) => void ran.push(job.key));
    await queue.add(notify('wanted'));
    await until(async () => (await state('wanted')) === 'done');
    expect(ran).toEqual(['wanted']);
    expect(await queue.cancel('wanted')).toBe(false);
    expect(await queue.retry('unwanted')).toBe(true);
    await until(async () => (await state('unwanted')) === 'done');
  });

  test('a running job is cancelled through its signal, also from another process', async () => {
    const other = await open();
    const started = new Set<string>();
    consume(
      async (job) => {
        started.add(job.key);
        await aborted(job.signal);
      },
      { concurrency: 2 },
    );
    await queue.add(notify('here'));
    await queue.add(notify('there'));
    await until(() => started.size === 2);
    expect(await queue.cancel('here')).toBe(true);
    expect(await other.cancel('there')).toBe(true);
    await until(async () => (await state('here')) === 'cancelled');
    await until(async () => (await state('there')) === 'cancelled');
  });

  test('progress reaches listeners here and in other processes', async () => {
    const other = await open();
    const here: number[] = [];
    const there: number[] = [];
    const stop = queue.onProgress(({ key, share }) => key === 'slow' && here.push(share));
    other.onProgress(({ key, name, share }) => {
      if (key === 'slow' && name === 'notify') there.push(share);
    });
    const gate = new Gate();
    consume(async (job) => {
      job.progress(0.5);
      await gate.opened;
    });
    await queue.add(notify('slow'));
    await until(() => here.includes(0.5) && there.includes(0.5));
    stop();
    gate.open();
    await until(async () => (await state('slow')) === 'done');
  });

  test('place in the queue and a guess of the time left', async () => {
    for (let i = 0; i < 4; i++) await queue.add(notify(`p${i}`));
    expect((await queue.position('p0'))?.position).toBe(0);
    expect((await queue.position('p3'))?.position).toBe(3);
    expect((await queue.position('p3'))!.etaSeconds).toBeGreaterThan(
      (await queue.position('p0'))!.etaSeconds,
    );
    expect(await queue.position('nobody')).toBeUndefined();
    await collect(4);
    await until(async () => (await state('p3')) === 'done');
    expect(await queue.position('p3')).toBeUndefined();
  });

  test('the places of a whole line are those of each', async () => {
    for (let i = 0; i < 5; i++) await queue.add(notify(`line${i}`));
    const line = await queue.places('notify', 3);
    expect([...line.keys()]).toEqual(['line0', 'line1', 'line2']);
    for (const [key, place] of line) expect(place).toEqual(await queue.position(key));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    consume(() => held);
    await until(async () => (await state('line0')) === 'active');
    expect((await queue.places('notify', 100)).get('line0')?.position).toBe(0);
    release();
    await until(async () => (await state('line4')) === 'done');
    expect((await queue.places('notify', 100)).size).toBe(0);
  });

  test('while every worker rests, a waiting job says so, and takes longer', async () => {
    let ready = false;
    await queue.add(notify('early'));
    const usual = (await queue.position('early'))!;
    consume(async () => {}, { ready: () => ready });
    await until(async () => (await queue.position('early'))?.waitingFor === 'card');
    const resting = (await queue.position('early'))!;
    expect(usual.waitingFor).toBeUndefined();
    expect(resting.etaSeconds).toBeGreaterThan(usual.etaSeconds);
    ready = true;
    await until(async () => (await state('early')) === 'done');
  });

  test('a job given back by a card that rests has not failed, however often', async () => {
    const attempts: number[] = [];
    const work = async (job: Job) => {
      attempts.push(job.attempt);
      // More often than a job may fail.
      if (attempts.length < 8) throw new CardPaused('GTX 1060', 84);
    };
    consume(work);
    await queue.add(notify('warm'));
    await until(async () => (await state('warm')) === 'done');
    expect(new Set(attempts)).toEqual(new Set([1]));
  });

  test('a job that waits for a store that cannot be reached has not failed', async () => {
    const attempts: number[] = [];
    consume(async (job) => {
      attempts.push(job.attempt);
      if (attempts.length === 1) throw new BlobsAway('s3://photos', 'ECONNREFUSED');
    });
    await queue.add(notify('cut off'));
    await until(async () => (await state('cut off')) === 'delayed');
    expect((await queue.find('cut off'))?.lastError).toMatch(/^BLOBS_AWAY: /);
    await until(async () => (await state('cut off')) === 'done');
    expect(attempts).toEqual([1, 1]);
  });

  test('never more at once than agreed, and nothing while not ready', async () => {
    let ready = false;
    let running = 0;
    let most = 0;
    let done = 0;
    consume(
      async () => {
        running++;
        most = Math.max(most, running);
        await pause(30);
        running--;
        done++;
      },
      { concurrency: 3, ready: () => ready },
    );
    for (let i = 0; i < 12; i++) await queue.add(notify(`c${i}`));
    await pause(700);
    expect(done).toBe(0);
    ready = true;
    await until(() => done === 12);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  test('closing waits for running jobs and takes no new ones', async () => {
    const gate = new Gate();
    const ended: string[] = [];
    const consumer = consume(async (job) => {
      await gate.opened;
      ended.push(job.key);
    });
    await queue.add(notify('running'));
    await until(async () => (await state('running')) === 'active');
    await queue.add(notify('next'));
    const closed = consumer.close(10_000);
    await pause(100);
    gate.open();
    await closed;
    expect(ended).toEqual(['running']);
    expect(await state('running')).toBe('done');
    expect(await state('next')).toBe('waiting');
  });

  test('closing gives back what does not end in time; it is no failed attempt', async () => {
    const consumer = consume(async (job) => aborted(job.signal));
    await queue.add(notify('long'));
    await until(async () => (await state('long')) === 'active');
    await consumer.close(50);
    expect(await state('long')).toBe('waiting');
    const attempts: number[] = [];
    consume(async (job) => void attempts.push(job.attempt), { on: await open() });
    await until(async () => (await state('long')) === 'done');
    expect(attempts).toEqual([1]);
  });

  test('two workers share the work and no job runs twice', async () => {
    const other = await open();
    const runs = new Map<string, number>();
    const handler = async (job: Job<'notify'>) => {
      runs.set(job.key, (runs.get(job.key) ?? 0) + 1);
      await pause(1);
    };
    consume(handler, { concurrency: 4 });
    consume(handler, { on: other, concurrency: 4 });
    const keys = Array.from({ length: 120 }, (_, i) => `s${i}`);
    await Promise.all(keys.map((key, i) => queue.add(notify(key, { group: `cu_${i % 7}` }))));
    await until(async () => (await queue.counts()).done === keys.length);
    expect([...runs.keys()].sort()).toEqual([...keys].sort());
    expect([...runs.values()].every((n) => n === 1)).toBe(true);
  });

  test('a job longer than its lease keeps it', async () => {
    const other = await open();
    let runs = 0;
    const handler = async () => {
      runs++;
      await pause(contractPolicy.leaseMs * 2.5);
    };
    consume(handler);
    consume(handler, { on: other });
    await queue.add(notify('endless'));
    await until(async () => (await state('endless')) === 'done');
    expect(runs).toBe(1);
  });

  test('a job whose worker was killed is taken over', async () => {
    await queue.add(notify('orphan'));
    expect(await killWorker(harness.victim)).toEqual({ key: 'orphan', attempt: 1 });
    const attempts: number[] = [];
    consume(async (job) => void attempts.push(job.attempt));
    await until(async () => (await state('orphan')) === 'done');
    expect(attempts).toEqual([2]);
  });

  test('a job that takes its workers with it is set aside with its reason', async () => {
    await queue.add(notify('poison'));
    const attempts: number[] = [];
    for (let i = 0; i <= contractPolicy.maxLostWorkers; i++)
      attempts.push((await killWorker(harness.victim)).attempt);
    expect(attempts).toEqual([1, 2, 3]);
    let runs = 0;
    const heard: string[] = [];
    consume(async () => void runs++, {
      onDead: async (_job, reason) => void heard.push(reason.code),
    });
    await until(async () => (await state('poison')) === 'dead');
    expect(runs).toBe(0);
    expect(heard).toEqual(['WORKER_LOST']);
    expect((await queue.find('poison'))?.lastError).toMatch(/^WORKER_LOST: 3 workers/);
  });

  test('the queue answers to ping', async () => {
    await expect(queue.ping()).resolves.toBeUndefined();
  });

  /** Run what waits, one at a time, and say in which order. */
  async function collect(count: number): Promise<string[]> {
    const order: string[] = [];
    consume(async (job) => void order.push(job.key));
    await until(() => order.length === count);
    return order;
  }
}

export interface DatabaseHarness extends QueueHarness {
  /** As an operator with SQL at hand does it. */
  change(key: string, columns: Partial<Pick<JobRow, 'state' | 'finished_ms'>>): Promise<void>;
}

/** What a queue in a table promises beyond that, while somebody changes it by hand. */
export function databaseLeaseContract(start: () => Promise<DatabaseHarness>): void {
  let harness: DatabaseHarness;
  let queue: JobQueue;
  beforeAll(async () => {
    harness = await start();
    await harness.reset();
    queue = await harness.open();
  });
  afterAll(async () => {
    await queue?.close();
    await harness?.stop();
  });

  test('a job that was set aside by hand: its lease is renewed no more and its worker stops', async () => {
    const stopped: string[] = [];
    const work = async (job: Job) => {
      await aborted(job.signal).catch(() => stopped.push(job.key));
      throw new ChannelAway('web');
    };
    const options = { concurrency: 1, worker: 'box:1' };
    const consumer = queue.consume(['notify'], { notify: work }, options);
    await queue.add(notify('by hand'));
    await until(async () => (await queue.find('by hand'))?.state === 'active');
    await harness.change('by hand', { state: 'dead' });
    await until(() => stopped.includes('by hand'));
    await consumer.close(1_000);
    expect((await queue.find('by hand'))?.state).toBe('dead');
  });

  test('a cancel that was wished for comes true, although the worker died with the job', async () => {
    await queue.add(notify('wished'));
    await killWorker(harness.victim, () => queue.cancel('wished'));
    let runs = 0;
    const options = { concurrency: 1, worker: 'box:3' };
    const consumer = queue.consume(['notify'], { notify: async () => void runs++ }, options);
    await until(async () => (await queue.find('wished'))?.state === 'cancelled');
    await consumer.close(5_000);
    expect(runs).toBe(0);
  });

  test('what is done is forgotten after a week, a dead letter after a month', async () => {
    for (const [state, ...days] of [
      ['done', 6, 8],
      ['dead', 8, 29, 31],
      ['cancelled', 29, 31],
    ] as const)
      for (const age of days) {
        await queue.add(notify(`${state} ${age}`));
        const finished_ms = Date.now() - age * 86_400_000;
        await harness.change(`${state} ${age}`, { state, finished_ms });
      }
    // Another process: it looks through old rows when it begins.
    const other = await harness.open();
    const options = { concurrency: 1, worker: 'box:4' };
    const consumer = other.consume(['notify'], { notify: async () => {} }, options);
    const forgotten = ['done 8', 'dead 31', 'cancelled 31'];
    await until(async () => {
      const found = await Promise.all(forgotten.map((key) => queue.find(key)));
      return found.every((one) => one === undefined);
    });
    for (const key of ['done 6', 'dead 8', 'dead 29', 'cancelled 29'])
      expect((await queue.find(key))?.key).toBe(key);
    await consumer.close(1_000);
    await other.close();
  });

  test('the end of an attempt is not written over what was set by hand meanwhile', async () => {
    const gate = new Gate();
    const options = { concurrency: 1, worker: 'box:2' };
    const consumer = queue.consume(['notify'], { notify: () => gate.opened }, options);
    await queue.add(notify('ended'));
    await until(async () => (await queue.find('ended'))?.state === 'active');
    await harness.change('ended', { state: 'cancelled' });
    gate.open();
    await consumer.close(5_000);
    expect((await queue.find('ended'))?.state).toBe('cancelled');
  });
}

/** Let a process take one job, then kill -9 it. @returns what it had. */
async function killWorker(victim: QueueHarness['victim'], before?: () => Promise<unknown>) {
  const script = path.join(__dirname, '../support/queue-victim.cjs');
  const child = spawn(process.execPath, [script, ...victim, JSON.stringify(contractPolicy)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      child.kill('SIGSTOP');
      await before?.();
      return JSON.parse(line) as { key: string; attempt: number };
    }
    throw new Error('the worker ended without a job; is dist/ built? npm run build');
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

type Changes = Partial<Omit<NewJob<'notify'>, 'payload'>> & { payload?: { text: string } };

/** A small job; `notify` stands for all names. */
export function notify(key: string, changes: Changes = {}): NewJob<'notify'> {
  const { payload, ...rest } = changes;
  const event = { kind: 'support.answer', text: payload?.text ?? 'hello' } as const;
  return {
    name: 'notify',
    key,
    payload: { customerId: 'cu_1', key, event },
    priority: 5,
    group: 'cu_1',
    ...rest,
  };
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Rejects as a well-behaved handler does when asked to stop. */
async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Something to wait for that the test opens. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}
