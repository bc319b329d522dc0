import type { Context } from '../context.js';
import { dropBlobs } from '../delete-photos.js';
import { limits } from '../limits.js';
import { isUnderWay } from '../photo.js';
import { type ExpiringKind, type ExpiryCursor, expiringKinds } from '../ports/expiry.js';
import type { Tables } from '../ports/store.js';
import type { PhotoRecord } from '../records.js';
import { chronicle, line } from '../timeline.js';

const dayMs = 86_400_000;
const { retentionRows } = limits.studio;

/**
 * Delete files whose time is over, as many as there are, in small steps. The photo's row, what was
 * paid and its history stay.
 * @param stop aborted: no further step.
 * @returns files deleted.
 */
export async function sweepRetention(context: Context, stop?: AbortSignal): Promise<number> {
  let dropped = 0;
  for (const kind of expiringKinds) {
    const days = context.config.retentionDays[kind];
    if (days > 0) dropped += await sweepKind(context, kind, days, stop);
  }
  if (dropped > 0) context.log.info('retention.deleted', { files: dropped });
  return dropped;
}

async function sweepKind(
  context: Context,
  kind: ExpiringKind,
  days: number,
  stop: AbortSignal | undefined,
): Promise<number> {
  const { store, sureTime } = context;
  const beforeMs = (await sureTime()) - days * dayMs;
  let dropped = 0;
  let after: ExpiryCursor | undefined;
  do {
    const page = await store.read.photos.withExpired(kind, beforeMs, retentionRows, after);
    for (const id of page.photoIds) {
      const keys = await store.transaction(async (tables) => {
        const photo = await tables.photos.lock(id);
        // Since it was seen it may have been asked for again.
        if (!photo || isUnderWay(photo.state) || photo.updatedMs >= beforeMs) return [];
        // A master is in the making.
        if ((await tables.holds.active(id))?.state === 'held') return [];
        return expire(tables, context, photo, kind);
      });
      dropped += await dropBlobs(context, keys);
      if (stop?.aborted) return dropped;
    }
    after = page.next;
    // An embedded database works without giving way: others have their turn in between.
    await new Promise((resolve) => setImmediate(resolve));
  } while (after && !stop?.aborted);
  return dropped;
}

async function expire(
  tables: Tables,
  context: Context,
  photo: PhotoRecord,
  kind: ExpiringKind,
): Promise<string[]> {
  const entry = line(context, 'photo.expired', { file: kind });
  await chronicle(tables, photo.id, `expired:${kind}`, [entry]);
  const keys = await forget[kind](tables, photo);
  return keys.filter((key): key is string => key !== null);
}

type Forget = (tables: Tables, photo: PhotoRecord) => Promise<(string | null)[]>;

const forget: Record<ExpiringKind, Forget> = {
  original: async ({ photos }, { id, originalKey }) => {
    await photos.update(id, { originalKey: null });
    return [originalKey];
  },
  master: async ({ photos }, { id, masterKey, screenKey }) => {
    await photos.update(id, { masterKey: null, screenKey: null });
    return [masterKey, screenKey];
  },
  chroma: async ({ looks }, { id }) => {
    const all = await looks.ofPhoto(id);
    for (const look of all) await looks.update(look.id, { chromaKey: null });
    return all.map((look) => look.chromaKey);
  },
  preview: async ({ looks, photos }, { id, sheetKey }) => {
    const all = await looks.ofPhoto(id);
    const none = { previewKey: null, comparisonKey: null };
    for (const look of all) await looks.update(look.id, none);
    await photos.update(id, { sheetKey: null });
    return [sheetKey, ...all.flatMap((look) => [look.previewKey, look.comparisonKey])];
  },
};

/**
 * Delete blobs that no row refers to: left over by crashes and by outcomes nobody wanted.
 * @returns files deleted.
 */
export async function sweepOrphans(context: Context): Promise<number> {
  // Fresh ones may wait in a `deliver` job before any row names them.
  const beforeMs = (await context.sureTime()) - limits.studio.orphanAgeMs;
  let dropped = 0;
  for await (const { key, modifiedMs } of context.blobs.list()) {
    if (modifiedMs < beforeMs) dropped += await dropBlobs(context, [key]);
  }
  if (dropped > 0) context.log.info('orphans.deleted', { files: dropped });
  return dropped;
}
