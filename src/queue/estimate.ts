import type { PlaceInQueue } from '../studio/ports/queue.js';

/** What is known about a queue's speed. */
export interface Speed {
  /** Mean of recent runs of this name, ms. */
  readonly meanMs: number;
  /** Places of all live workers that take this name. */
  readonly places: number;
  /** There are workers, and all of them rest. */
  readonly resting?: boolean;
}

/** A card cools for a minute or two; nobody can tell how long. */
const TYPICAL_REST_SECONDS = 90;

/**
 * Seconds until a job is done, for the customer: whole rounds of the workers before it and its own
 * run. A guess, never a promise.
 * @param ahead waiting jobs before it.
 * @param active running jobs of its name.
 */
export function estimateSeconds(ahead: number, active: number, speed: Speed): number {
  const places = Math.max(1, speed.places);
  const restSeconds = speed.resting ? TYPICAL_REST_SECONDS : 0;
  const freeNow = Math.max(0, places - active);
  const rounds = ahead < freeNow ? 0 : (ahead - freeNow) / places + 0.5;
  return Math.max(1, Math.ceil(((rounds + 1) * speed.meanMs) / 1000) + restSeconds);
}

/** Of a waiting job. @param delayMs it is not due before. */
export function placeOf(
  ahead: number,
  active: number,
  speed: Speed,
  delayMs: number,
): PlaceInQueue {
  const etaSeconds = Math.max(estimateSeconds(ahead, active, speed), Math.ceil(delayMs / 1000));
  return { position: ahead, etaSeconds, ...(speed.resting ? { waitingFor: 'card' } : {}) };
}

/** Seconds left of a running job. */
export function remainingSeconds(runMs: number, share: number, speed: Speed): number {
  const byProgress = share > 0.05 ? (runMs / share) * (1 - share) : speed.meanMs - runMs;
  return Math.max(1, Math.ceil(byProgress / 1000));
}

/** Places of a whole line. @param waiting keys of due jobs, the next one first. */
export function placesOf(
  waiting: readonly string[],
  running: readonly { readonly key: string; readonly runMs: number; readonly share: number }[],
  speed: Speed,
): Map<string, PlaceInQueue> {
  const places = new Map<string, PlaceInQueue>();
  for (const { key, runMs, share } of running) {
    places.set(key, { position: 0, etaSeconds: remainingSeconds(runMs, share, speed) });
  }
  waiting.forEach((key, ahead) => {
    places.set(key, placeOf(ahead, running.length, speed, 0));
  });
  return places;
}

/** Remembers speeds for two seconds: every watcher of every photo asks. */
export class SpeedMemory {
  private readonly known = new Map<string, { atMs: number; speed: Speed }>();

  async recall(name: string, nowMs: number, measure: () => Promise<Speed>): Promise<Speed> {
    const before = this.known.get(name);
    if (before && nowMs - before.atMs < 2_000) return before.speed;
    const speed = await measure();
    this.known.set(name, { atMs: nowMs, speed });
    return speed;
  }
}
