import type { Preset } from './config.js';
import type { Context } from './context.js';
import { InvalidRequest, NotPossibleNow } from './errors/index.js';
import { type LookOrder, priorities } from './jobs.js';
import { labelFor } from './label-text.js';
import { limits } from './limits.js';
import { want } from './outbox.js';
import { lookMoves, photoMoves } from './photo.js';
import type { Finishing } from './ports/colorizer.js';
import type { Tables } from './ports/store.js';
import type { LookRecord, PhotoRecord } from './records.js';
import { assertMove } from './state-machine.js';

/** @throws {InvalidRequest} no such preset. */
export function presetOf({ config }: Context, name: string): Preset {
  // Names come from strangers: `constructor` is none of ours.
  const preset = Object.hasOwn(config.presets, name) ? config.presets[name] : undefined;
  if (preset) return preset;
  throw new InvalidRequest('preset', Object.keys(config.presets).join(', '), name.slice(0, 40));
}

/** Key of a photo's n-th run; `deliver` finds its restore by it. */
export const restoreKey = (photoId: string, run: number) => `restore:${photoId}:${run}`;

/** A look to be made. */
export interface NewLook {
  readonly model: string;
  readonly sizePx?: number;
  readonly finishing: Finishing;
  /** Plane to reuse. */
  readonly chromaKey?: string;
}

/** Write down the looks a run shall make. */
export async function addLooks(
  tables: Tables,
  { ids, clock }: Context,
  photoId: string,
  looks: readonly NewLook[],
): Promise<LookRecord[]> {
  const first = (await tables.looks.ofPhoto(photoId)).length;
  if (first + looks.length > limits.looksPerPhoto) {
    const found = String(first + looks.length);
    throw new InvalidRequest('looks', `<= ${limits.looksPerPhoto}`, found);
  }
  const added: LookRecord[] = looks.map((look, i) => ({
    id: ids.next('look'),
    photoId,
    index: first + i,
    state: 'waiting',
    model: look.model,
    sizePx: look.sizePx ?? null,
    finishing: look.finishing,
    chromaKey: look.chromaKey ?? null,
    previewKey: null,
    comparisonKey: null,
    provider: null,
    inputWidthPx: null,
    inputHeightPx: null,
    seconds: null,
    joules: null,
    card: null,
    cardId: null,
    readyMs: null,
    notes: [],
    createdMs: clock.now(),
  }));
  for (const look of added) await tables.looks.insert(look);
  return added;
}

/**
 * Queue a run that makes these waiting looks.
 * @param photo as it is now, with its bytes in place.
 * @returns the job's key.
 * @throws {NotPossibleNow} retention has deleted the original.
 */
export async function queueRestore(
  tables: Tables,
  context: Context,
  photo: PhotoRecord,
  looks: readonly LookRecord[],
): Promise<string> {
  const { config, clock } = context;
  if (photo.originalKey === null) throw new NotPossibleNow('colour', 'expired');
  const run = photo.runs + 1;
  const key = restoreKey(photo.id, run);
  if (photo.state !== 'ready') {
    if (photo.state !== 'queued') assertMove(photoMoves, photo.state, 'queued', photo.id);
    await tables.photos.update(photo.id, { state: 'queued', error: null });
  }
  for (const look of looks) {
    if (look.state === 'waiting') continue;
    assertMove(lookMoves, look.state, 'waiting', look.id);
    await tables.looks.update(look.id, { state: 'waiting' });
  }
  await tables.photos.update(photo.id, { runs: run, updatedMs: clock.now() });
  const language = (await tables.customers.find(photo.customerId))?.language ?? 'en';
  const paid = await tables.orders.hasPaid(photo.customerId);
  await want(tables, context, {
    name: 'restore',
    key,
    ...(paid ? { priority: priorities.paid } : {}),
    group: photo.customerId,
    payload: {
      photoId: photo.id,
      originalKey: photo.originalKey,
      looks: looks.map(toOrder),
      sheet: looks.length > 1,
      preview: config.preview,
      label: labelFor(context, photo.id, language),
    },
  });
  return key;
}

function toOrder({ id, model, sizePx, finishing, chromaKey }: LookRecord): LookOrder {
  return {
    lookId: id,
    model,
    finishing,
    ...(sizePx === null ? {} : { sizePx }),
    ...(chromaKey === null ? {} : { chromaKey }),
  };
}
