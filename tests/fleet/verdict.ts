import path from 'node:path';
import Database from 'better-sqlite3';
import type { BoxProcess } from './boxes.js';
import { costOf } from './ideal.js';
import type { FleetReport } from './run-fleet.js';

export interface Verdict {
  readonly ready: number;
  /** Set aside with their reason. */
  readonly setAside: number;
  /** Begun and not brought to its end there: killed, cut off, hot. */
  readonly brokenOff: number;
  readonly perBox: FleetReport['perBox'];
  readonly faults: readonly string[];
}

/** The guard's hard stop, °C. */
const stopC = 90;

/** What the studio's own records say in the end, against what was sent. */
export function judge(
  data: string,
  boxes: readonly BoxProcess[],
  sent: { readonly photos: number; readonly poisoned: number; readonly blows: number },
): Verdict {
  const db = new Database(path.join(data, 'studio.db'), { readonly: true });
  const faults: string[] = [];
  const all = <T>(sql: string) => db.prepare(sql).all() as T[];
  try {
    const photos = all<{ id: string; state: string; error: string | null }>(
      'select id, state, error from photos',
    );
    if (photos.length !== sent.photos) faults.push(`${photos.length} of ${sent.photos} photos`);
    const ready = photos.filter(({ state }) => state === 'ready');
    const failed = photos.filter(({ state }) => state === 'failed');
    for (const { id, state, error } of photos) {
      if (state !== 'ready' && state !== 'failed') faults.push(`${id} is ${state}`);
      if (state === 'failed' && !error?.includes('WORKER_LOST')) faults.push(`${id}: ${error}`);
    }
    // Whoever shared a worker with a poisoned photo travels alone after that: to be set aside it
    // must be struck once more, by a blow of its own.
    if (failed.length < sent.poisoned) faults.push(`${failed.length} poisoned photos set aside`);
    if (failed.length > sent.poisoned + sent.blows)
      faults.push(`${failed.length} photos set aside, ${sent.blows} blows`);
    const doubled = all<{ photo_id: string; n: number }>(
      "select photo_id, count(*) as n from timeline where event = 'photo.ready' group by photo_id having count(*) > 1",
    );
    for (const { photo_id, n } of doubled) faults.push(`${photo_id} delivered ${n} times`);
    const told = all<{ n: number }>(
      "select count(*) as n from timeline where event = 'photo.ready'",
    );
    if (told[0]!.n !== ready.length) faults.push(`${told[0]!.n} deliveries, ${ready.length} ready`);
    const perBox = boxes.map((box) => boxFacts(box, faults));
    const brokenOff = boxes.reduce((sum, box) => {
      const events = box.inferences().map(({ event }) => event);
      return sum + events.filter((event, i) => event === 'begin' && events[i + 1] !== 'end').length;
    }, 0);
    return { ready: ready.length, setAside: failed.length, brokenOff, perBox, faults };
  } finally {
    db.close();
  }
}

function boxFacts(box: BoxProcess, faults: string[]) {
  const { seconds, memoryPx } = box.spec;
  const begun = box.inferences().filter(({ event }) => event === 'begin');
  const tooLarge = begun.filter(({ sizePx = 0 }) => sizePx > memoryPx);
  if (tooLarge.length > 0) faults.push(`${tooLarge.length} too large for ${memoryPx} px`);
  const hottestC = Math.round(box.hottestWorkC);
  if (hottestC >= stopC) faults.push(`a card worked at ${hottestC} °C`);
  const done = box.inferences().filter(({ event }) => event === 'end').length;
  return { seconds, measuredSeconds: cycleSeconds(box) ?? seconds, memoryPx, done, hottestC };
}

/** From one inference's beginning to the next one's, for 512 px: with all that lies between them. */
function cycleSeconds(box: BoxProcess): number | undefined {
  const events = box.inferences().filter(({ event }) => event !== 'end');
  const cycles = events.flatMap(({ event, atMs, sizePx = 512 }, i) => {
    const next = events[i + 1];
    if (event !== 'begin' || next?.event !== 'begin') return [];
    return [(next.atMs - atMs) / 1000 / costOf(sizePx)];
  });
  const middle = cycles.sort((a, b) => a - b)[cycles.length >> 1];
  return middle === undefined ? undefined : Number(middle.toFixed(3));
}
