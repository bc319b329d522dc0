import type { TestRedis } from '../support/redis.js';
import type { BoxProcess, Cable } from './boxes.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills workers, restarts Redis, pulls cables: one thing after another, chosen by seed. */
export class Chaos {
  private readonly happened: Record<string, number> = {};
  private stopped = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly world: {
      readonly redis: TestRedis;
      readonly boxes: readonly BoxProcess[];
      readonly cables: readonly Cable[];
    },
    private readonly config: {
      readonly everyMs: number;
      readonly random: () => number;
      /** So many blows in all: afterwards the rest is done in peace. */
      readonly blows: number;
    },
  ) {
    this.running = this.run();
  }

  /** No more of it; all boxes run. @returns what happened how often. */
  async stop(): Promise<Readonly<Record<string, number>>> {
    this.stopped = true;
    await this.running;
    return this.happened;
  }

  private async run(): Promise<void> {
    const { everyMs, random, blows } = this.config;
    // All three come once, whatever the seed; from then on at random.
    const first = [this.killOne, this.restartRedis, this.pullCable];
    for (let i = 0; i < blows && !this.stopped; i++) {
      await pause(everyMs * (0.5 + random()));
      // On a slow machine a worker takes its time to start; the next blow meets a working fleet.
      await this.allBack();
      if (this.stopped) return;
      const next = first[i] ?? first[Math.floor(random() * first.length)]!;
      await next.call(this);
    }
    while (!this.stopped) {
      await this.allBack();
      await pause(500);
    }
  }

  /** A worker that a poisoned photo ended is started again, as systemd would. */
  private async allBack(): Promise<void> {
    const { boxes, redis } = this.world;
    for (;;) {
      if (this.stopped) return;
      for (const box of boxes) if (!box.alive) box.start();
      const known = await redis.client.keys('huancai:box:*').catch(() => []);
      if (boxes.every((box) => known.some((key) => key.endsWith(`:${box.pid}`)))) return;
      await pause(500);
    }
  }

  private async killOne(): Promise<void> {
    const { boxes } = this.world;
    const box = boxes[Math.floor(this.config.random() * boxes.length)]!;
    box.kill();
    this.count('workersKilled');
    await pause(500);
  }

  private async restartRedis(): Promise<void> {
    await this.world.redis.restart({ downMs: 1_000 + 2_000 * this.config.random() });
    this.count('redisRestarts');
  }

  /** Longer than a lease: what the box has is taken over. */
  private async pullCable(): Promise<void> {
    const { cables } = this.world;
    const cable = cables[Math.floor(this.config.random() * cables.length)];
    if (!cable) return;
    cable.setDown(true);
    this.count('cablesPulled');
    await pause(3_000 + 6_000 * this.config.random());
    cable.setDown(false);
  }

  private count(what: string): void {
    this.happened[what] = (this.happened[what] ?? 0) + 1;
  }
}
