import { capacityOf } from '../../inference/gpu/card-memory.js';
import { needCost } from '../../queue/need.js';
import type { NewRestore } from '../../studio/jobs.js';
import type { BoxReport } from '../../studio/ports/fleet.js';
import type { Ability } from '../../studio/ports/queue.js';
import type { Engine } from '../engine.js';
import type { Shell } from '../shell.js';
import { version } from '../version.js';
import type { WorkParts } from '../wire.js';
import type { ModelSupply } from './model-supply.js';
import { SpeedMeter } from './speed-meter.js';

/** What this box can do, how it does, and how it says so. */
export class Box {
  private readonly meter: SpeedMeter;
  private readonly startedMs: number;
  private done = 0;
  private running = 0;

  constructor(
    private readonly shell: Pick<Shell, 'config' | 'now'>,
    private readonly parts: Pick<WorkParts, 'place'> & { readonly engine: BoxEngine },
    private readonly supply: ModelSupply,
    readonly worker: string,
  ) {
    this.meter = new SpeedMeter(shell.config.worker.seconds ?? undefined);
    this.startedMs = shell.now();
  }

  /** Take no work while the card rests or the photos cannot be reached. */
  readonly ready = (): boolean => this.parts.place.reachable() && this.parts.engine.mayTakeWork();

  readonly ability = (): Ability & { readonly without: readonly string[] } => {
    const { value: seconds } = this.meter;
    const maxSizePx = this.maxSizePx();
    return {
      without: this.supply.without(),
      ...(maxSizePx === undefined ? {} : { maxSizePx }),
      ...(seconds === undefined ? {} : { seconds }),
    };
  };

  /** Run a photo and learn from it how fast this box is. */
  async measured(job: NewRestore, work: () => Promise<void>): Promise<void> {
    const fromMs = this.shell.now();
    this.running += 1;
    try {
      await work();
      this.done += 1;
      this.meter.record(this.shell.now() - fromMs, needCost(job));
    } finally {
      this.running -= 1;
    }
  }

  report(): BoxReport {
    const { seconds, maxSizePx, without } = this.ability();
    const { engine, place } = this.parts;
    return {
      ...{ worker: this.worker, version: version(), startedMs: this.startedMs },
      state: this.state(),
      cards: engine.cards.status().map(({ reading, state }) => {
        const { uuid, name, temperatureC, memoryTotalMiB } = reading;
        return {
          ...{ uuid, name, state },
          ...(temperatureC === undefined ? {} : { temperatureC }),
          ...(memoryTotalMiB === undefined ? {} : { memoryTotalMiB }),
        };
      }),
      models: engine.models.list().flatMap(({ id, installed }) => (installed ? [id] : [])),
      without,
      ...(maxSizePx === undefined ? {} : { maxSizePx }),
      ...(seconds === undefined ? {} : { seconds }),
      ...{ photosAtOnce: Math.max(1, this.shell.config.work.photosAtOnce), photosDone: this.done },
      blobs: place.kind,
    };
  }

  private state(): BoxReport['state'] {
    if (!this.parts.place.reachable()) return 'away';
    if (!this.parts.engine.mayTakeWork()) return 'paused';
    return this.running > 0 ? 'working' : 'idle';
  }

  private maxSizePx(): number | undefined {
    const { maxSizePx } = this.shell.config.worker;
    if (maxSizePx !== null) return maxSizePx;
    return capacityOf(this.parts.engine.card()?.reading, undefined).longestSidePx;
  }
}

/** What a box asks its engine. */
export type BoxEngine = Pick<Engine, 'models' | 'cards' | 'card' | 'mayTakeWork'>;
