import type { Context } from '../context.js';
import { dropBlobs } from '../delete-photos.js';
import {
  type CustomerEvent,
  type Job,
  type LookResult,
  priorities,
  type RestoreOutcome,
} from '../jobs.js';
import { tell } from '../outbox.js';
import { awaitsOutcome, lookMoves, photoMoves } from '../photo.js';
import type { Tables } from '../ports/store.js';
import type { PhotoRecord } from '../records.js';
import { assertMove } from '../state-machine.js';
import { chronicle, line } from '../timeline.js';
import { markFailed } from './fail-photo.js';

/** Record a restore's outcome and tell the customer. */
export async function deliver(context: Context, job: Job<'deliver'>): Promise<void> {
  const { photoId, outcome } = job.payload;
  const run = job.key.slice('deliver:'.length);
  const photo = await context.store.transaction(async (tables) => {
    const known = await tables.photos.lock(photoId);
    await tables.outbox.done([run]);
    if (!known || !awaitsOutcome(known.state)) return undefined;
    await chronicle(tables, photoId, run, outcome.timeline);
    const made = outcome.ok ? await ready(tables, context, known, run, outcome) : [];
    if (!outcome.ok) await markFailed(tables, context, known, run, outcome);
    return { ...known, made };
  });
  if (photo) {
    count(context, outcome, photo.made);
    context.live.emit({ customerId: photo.customerId, photoId, kind: 'photo' });
    context.log.info(outcome.ok ? 'photo.ready' : 'photo.failed', {
      ...{ photoId, worker: outcome.worker },
      ...(outcome.ok ? {} : { code: outcome.code }),
    });
  } else if (outcome.ok) {
    // Cancelled or deleted meanwhile: nobody wants these files.
    await dropBlobs(context, blobsOf(outcome));
  }
}

type Made = Extract<RestoreOutcome, { ok: true }>;

async function ready(
  tables: Tables,
  context: Context,
  photo: PhotoRecord,
  run: string,
  outcome: Made,
): Promise<readonly LookResult[]> {
  const fresh: LookResult[] = [];
  const readyMs = context.clock.now();
  for (const made of outcome.looks) {
    const { lookId, ...result } = made;
    const look = await tables.looks.find(lookId);
    if (look?.photoId !== photo.id || look.state === 'ready') continue;
    // A run that was given up for lost may still arrive.
    if (look.state !== 'failed') assertMove(lookMoves, look.state, 'ready', lookId);
    await tables.looks.update(lookId, { ...result, state: 'ready', readyMs });
    fresh.push(made);
  }
  const [first] = fresh;
  if (!first) return [];
  if (photo.state !== 'ready') assertMove(photoMoves, photo.state, 'ready', photo.id);
  await tables.photos.update(photo.id, {
    state: 'ready',
    error: null,
    widthPx: outcome.widthPx,
    heightPx: outcome.heightPx,
    selectedLookId: photo.selectedLookId ?? first.lookId,
    sheetKey: outcome.sheetKey ?? photo.sheetKey,
    updatedMs: readyMs,
  });
  await chronicle(tables, photo.id, `ready:${run}`, [line(context, 'photo.ready')]);
  const news = { customerId: photo.customerId, key: `photo.ready:${run}` };
  const event: CustomerEvent = outcome.sheetKey
    ? {
        kind: 'photo.looks',
        photoId: photo.id,
        lookIds: fresh.map(({ lookId }) => lookId),
        sheetKey: outcome.sheetKey,
      }
    : { kind: 'photo.preview', photoId: photo.id, lookId: first.lookId };
  await tell(tables, context, { ...news, event }, priorities.free);
  return fresh;
}

/** Here, not where it ran: one place knows of the work of the whole fleet, and knows it once. */
function count({ metrics }: Context, outcome: RestoreOutcome, made: readonly LookResult[]): void {
  metrics.photoEnded(outcome.ok ? 'ok' : outcome.code);
  for (const { event, details } of outcome.timeline)
    if (event === 'photo.outOfMemory') metrics.outOfMemory(String(details['model']));
  for (const { model, provider, seconds, joules, notes, ...look } of made) {
    if (notes.some(({ key }) => key === 'inference.sizeSteppedDown')) metrics.outOfMemory(model);
    // Another finishing of known colours: no inference.
    if (provider === 'none') continue;
    const sizePx = Math.max(look.inputWidthPx, look.inputHeightPx);
    metrics.inferred({ model, sizePx, provider, seconds, joules });
  }
}

function blobsOf(outcome: Made): string[] {
  const keys = outcome.looks.flatMap((l) => [l.chromaKey, l.previewKey, l.comparisonKey]);
  return outcome.sheetKey ? [...keys, outcome.sheetKey] : keys;
}
