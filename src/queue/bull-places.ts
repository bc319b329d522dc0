import type Redis from 'ioredis';
import type { PlaceInQueue } from '../studio/ports/queue.js';
import { keyOf } from './bull-job.js';
import { placeOf, placesOf, remainingSeconds, type Speed } from './estimate.js';

/** A job as `huancaiInspect` tells it. */
export interface Inspected {
  readonly state: string;
  /** Jobs that come before it, and those of its name that run. */
  readonly ahead: number;
  readonly active: number;
  readonly hash: Readonly<Record<string, string>>;
  readonly info: { readonly nextRunMs?: number };
}

/** @returns undefined when it neither waits nor runs. */
export function bullPlace(job: Inspected, speed: Speed, nowMs: number): PlaceInQueue | undefined {
  if (job.state === 'active') {
    const { runMs, share } = run(job.hash['processedOn'], job.hash['progress'], nowMs);
    return { position: 0, etaSeconds: remainingSeconds(runMs, share, speed) };
  }
  if (job.state !== 'waiting' && job.state !== 'delayed') return undefined;
  const delayMs = job.state === 'delayed' ? (job.info.nextRunMs ?? 0) - nowMs : 0;
  return placeOf(job.ahead, job.active, speed, delayMs);
}

/**
 * The whole line of one bull queue with two reads and one field read per running job.
 * @param prefix of its keys, with the last colon.
 * @param limit waiting jobs, the next one first.
 */
export async function bullPlaces(
  client: Redis,
  prefix: string,
  limit: number,
  speed: Speed,
  nowMs: number,
): Promise<Map<string, PlaceInQueue>> {
  const [waiting, active] = await Promise.all([
    // Bull takes from the right.
    client.lrange(`${prefix}wait`, -limit, -1),
    client.lrange(`${prefix}active`, 0, -1),
  ]);
  const running = await Promise.all(
    active.map(async (id) => {
      const [since, progress] = await client.hmget(prefix + id, 'processedOn', 'progress');
      return { key: keyOf(id), ...run(since, progress, nowMs) };
    }),
  );
  return placesOf(waiting.reverse().map(keyOf), running, speed);
}

function run(since: string | null | undefined, progress: string | null | undefined, nowMs: number) {
  return { runMs: nowMs - Number(since ?? nowMs), share: Number(progress ?? 0) };
}
