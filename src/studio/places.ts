import type { Clock } from './ports/basics.js';
import type { JobQueue, PlaceInQueue } from './ports/queue.js';

/** Places of photos in the line, shared by everybody who watches. */
export interface Places {
  /** By photo, at most `freshMs` old; empty while the queue is away. */
  now(): Promise<ReadonlyMap<string, PlaceInQueue>>;
}

/** As old as a shared look may be, ms. */
const freshMs = 1_000;
/** Whoever waits behind that many is not told each step, and the look stays short. */
const lineMax = 5_000;

/** However many pages are open, the line is looked at once a second at most. */
export function createPlaces(queue: JobQueue, clock: Clock): Places {
  let look: { readonly atMs: number; readonly places: Promise<Map<string, PlaceInQueue>> };
  return {
    now: () => {
      const atMs = clock.now();
      // Older, or taken before the clock was set back.
      if (!look || Math.abs(atMs - look.atMs) >= freshMs) {
        look = { atMs, places: byPhoto(queue).catch(() => new Map()) };
      }
      return look.places;
    },
  };
}

async function byPhoto(queue: JobQueue): Promise<Map<string, PlaceInQueue>> {
  const line = await queue.places('restore', lineMax);
  const places = new Map<string, PlaceInQueue>();
  for (const [key, place] of line) {
    const photoId = photoOfRestore(key);
    if (photoId !== undefined) places.set(photoId, place);
  }
  return places;
}

/** The photo of a restore's key, see `restoreKey`; an archive's jobs have none. */
export function photoOfRestore(key: string): string | undefined {
  return /^restore:([^:]+):\d+$/.exec(key)?.[1];
}
