import type Bull from 'bull';
import type { Clock } from '../studio/ports/basics.js';
import type { Ability, ConsumeOptions } from '../studio/ports/queue.js';
import type { BullConnection } from './bull-connection.js';
import { type BullData, hashOf } from './bull-job.js';
import type { QueuePolicy } from './policy.js';

/** How often an idle box looks, ms. */
const lookEveryMs = 100;
const sayEveryMs = 1_000;
/** A box that cannot work for this long is no reason to keep large photos waiting, ms. */
const countedWhilePausedMs = 300_000;
/** No box lets others go first for longer than this, whatever its speed, ms. */
const patienceMs = 20_000;
const anySizePx = 100_000;

type Queue = Bull.Queue<BullData>;
/** What bull does not declare (pinned 4.16.5). */
interface Inner {
  token: string;
  paused: unknown;
  closing: unknown;
  getNextJob: () => Promise<unknown>;
  processJob: (job: unknown, notFetch: boolean) => unknown;
  nextJobFromJobData(data: Record<string, string>, id: string): unknown;
  setWorkerName: () => Promise<unknown>;
}

/** Bull's loop with our own choice of the next job: what this box can do, and who is faster. */
export class FleetTaker {
  private readonly timer: NodeJS.Timeout;
  /** Photos this box has, and whether each is a suspect: it lost a worker before. */
  private readonly held = new Map<string, boolean>();
  private asked: Promise<unknown> = Promise.resolve();
  private waitingSinceMs: number | undefined;
  private pausedSinceMs: number | undefined;

  constructor(
    private readonly deps: { connection: BullConnection; clock: Clock; fleetKey: string },
    private readonly policy: QueuePolicy,
    private readonly options: ConsumeOptions & { ability: () => Ability },
    queue: Queue,
  ) {
    const inner = queue as unknown as Inner;
    inner.getNextJob = () => this.next(queue, inner);
    this.timer = setInterval(() => this.say(), sayEveryMs);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
    const { connection, fleetKey } = this.deps;
    connection.client.hdel(fleetKey, this.options.worker).catch(() => {});
  }

  /** This box no longer has the photo. */
  release(id: string): void {
    this.held.delete(id);
  }

  private async next(queue: Queue, inner: Inner): Promise<unknown> {
    while (!inner.closing && !inner.paused) {
      const found = await this.inTurn(() => this.take(queue, inner));
      if (found) return inner.nextJobFromJobData(...found);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    return undefined;
  }

  /** Each place of the box asks for itself; the second must know what the first one got. */
  private inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const turn = this.asked.then(ask);
    this.asked = turn.catch(() => {});
    return turn;
  }

  private async take(
    queue: Queue,
    inner: Inner,
  ): Promise<[Record<string, string>, string] | undefined> {
    // Nothing keeps a suspect company.
    if ([...this.held.values()].includes(true)) return undefined;
    const { connection, clock, fleetKey } = this.deps;
    const key = (what: string) => queue.toKey(what);
    const { size, seconds, without } = this.words();
    const active = key('active');
    const answer = await connection.client.huancaiTake(
      ...[key('wait'), active, key('priority'), fleetKey, `${active}@${inner.token}`],
      ...[key(''), inner.token, this.policy.leaseMs, clock.now(), this.options.worker],
      ...[size, seconds, this.options.concurrency, this.impatient(seconds) ? 1 : 0, without],
      this.held.size,
    );
    if (answer === 1) this.waitingSinceMs ??= clock.now();
    else this.waitingSinceMs = undefined;
    if (!Array.isArray(answer)) return undefined;
    const [hash, id] = [hashOf(answer[0]), answer[1]];
    this.held.set(id, Number(hash['stalledCounter'] ?? 0) > 0);
    return [hash, id];
  }

  /** In the time it let others go first, it could have done the photo itself. */
  private impatient(seconds: number): boolean {
    if (this.waitingSinceMs === undefined) return false;
    const limitMs = Math.min(patienceMs, seconds * 1_000);
    return this.deps.clock.now() - this.waitingSinceMs > limitMs;
  }

  /** While busy or paused nobody asks for work: say all the same that the box is there. */
  private say(): void {
    const { connection, clock, fleetKey } = this.deps;
    const ready = this.options.ready?.() !== false;
    this.pausedSinceMs = ready ? undefined : (this.pausedSinceMs ?? clock.now());
    const longPaused = clock.now() - (this.pausedSinceMs ?? clock.now()) > countedWhilePausedMs;
    const { size, seconds } = this.words();
    const words = [longPaused ? 0 : size, seconds, this.options.concurrency, ready ? 1 : 0];
    connection.client.huancaiSay(fleetKey, this.options.worker, ...words).catch(() => {});
  }

  private words() {
    const { maxSizePx = anySizePx, seconds = 0, without = [] } = this.options.ability();
    return { size: maxSizePx, seconds, without: ` ${without.join(' ')} ` };
  }
}

/**
 * Bull takes the next job in the same step that finishes one, and would sit on it when paused or
 * closing meanwhile. One round trip more, and nothing is held that does not run.
 */
export function neverFetchAhead(queue: Queue): void {
  const inner = queue as unknown as Inner;
  const processJob = inner.processJob.bind(queue);
  inner.processJob = (job) => processJob(job, true);
}

/**
 * Bull names its waiting connection for CLIENT LIST and does not listen to the answer: a process told
 * to stop while that connection opens would end of an unhandled rejection.
 */
export function nameWithoutFail(queue: Queue): void {
  const inner = queue as unknown as Inner;
  const setWorkerName = inner.setWorkerName.bind(queue);
  inner.setWorkerName = () => setWorkerName().catch(() => {});
}
