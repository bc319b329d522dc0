import type { TimelineEntry } from './jobs.js';
import type { Clock } from './ports/basics.js';
import type { PhotoInfo } from './ports/colorizer.js';
import type { Tables } from './ports/store.js';

/**
 * Write a photo's history.
 * @param step natural name of the step, so that a repeat writes its lines once.
 */
export async function chronicle(
  tables: Tables,
  photoId: string,
  step: string,
  entries: readonly TimelineEntry[],
): Promise<void> {
  const lines = entries.map(({ atMs, event, details }, i) => ({
    ...{ atMs, event, details, photoId },
    id: `${photoId}:${step}:${String(i).padStart(3, '0')}`,
  }));
  await tables.timeline.add(lines);
}

/** One line, now. */
export function line(
  { clock }: { clock: Clock },
  event: string,
  details: TimelineEntry['details'] = {},
): TimelineEntry {
  return { atMs: clock.now(), event, details };
}

/** What the file turned out to be. */
export function inspected(deps: { clock: Clock }, info: PhotoInfo): TimelineEntry {
  const { widthPx, heightPx, format, bitDepth } = info;
  return line(deps, 'photo.inspected', { widthPx, heightPx, format, bitDepth });
}
