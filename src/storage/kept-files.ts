import { isUnderWay } from '../studio/photo.js';
import type { ExpiredPage, ExpiringKind, ExpiryCursor } from '../studio/ports/expiry.js';
import type { Target } from './rows.js';

interface PageWanted {
  readonly beforeMs: number;
  readonly limit: number;
  readonly after: ExpiryCursor | undefined;
}

type Keeping = (target: Target, page: PageWanted) => Promise<ExpiredPage>;

const keeping: Readonly<Record<ExpiringKind, Keeping>> = {
  original: (target, page) => photosKeeping(target, 'originalKey', page),
  master: (target, page) => photosKeeping(target, 'masterKey', page),
  chroma: (target, page) => looksKeeping(target, 'chromaKey', page),
  preview: (target, page) => looksKeeping(target, 'previewKey', page),
};

/** Photos at rest that keep a file of this kind since before that: `PhotoTable.withExpired`. */
export function keepersOf(
  target: Target,
  kind: ExpiringKind,
  page: PageWanted,
): Promise<ExpiredPage> {
  return keeping[kind](target, page);
}

const beginning: ExpiryCursor = { ms: Number.MIN_SAFE_INTEGER, id: '' };

/** Where the next page begins; none after one that was not full. */
function nextOf(rows: readonly ExpiryCursor[], limit: number): { next?: ExpiryCursor } {
  const last = rows.at(-1);
  return last && rows.length === limit ? { next: { ms: last.ms, id: last.id } } : {};
}

/** Files of photos: their age is the photo's. */
async function photosKeeping(
  { db }: Target,
  column: 'originalKey' | 'masterKey',
  { beforeMs, limit, after = beginning }: PageWanted,
): Promise<ExpiredPage> {
  const rows = await db
    .selectFrom('photos')
    .select(['id', 'state', 'updatedMs as ms'])
    .where(column, 'is not', null)
    .where('updatedMs', '<', beforeMs)
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('updatedMs', 'id'), '>', tuple(after.ms, after.id)),
    )
    .orderBy('updatedMs')
    .orderBy('id')
    .limit(limit)
    .execute();
  const over = rows.filter(({ state }) => !isUnderWay(state));
  return { photoIds: over.map(({ id }) => id), ...nextOf(rows, limit) };
}

/**
 * Files of looks. A photo is never older than its looks, so old looks are looked through, and those
 * of photos that something happened to since are left alone.
 */
async function looksKeeping(
  { db }: Target,
  column: 'chromaKey' | 'previewKey',
  { beforeMs, limit, after = beginning }: PageWanted,
): Promise<ExpiredPage> {
  const looks = await db
    .selectFrom('looks')
    .select(['id', 'photoId', 'createdMs as ms'])
    .where(column, 'is not', null)
    .where('createdMs', '<', beforeMs)
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('createdMs', 'id'), '>', tuple(after.ms, after.id)),
    )
    .orderBy('createdMs')
    .orderBy('id')
    .limit(limit)
    .execute();
  if (looks.length === 0) return { photoIds: [] };
  const photos = await db
    .selectFrom('photos')
    .select(['id', 'state', 'updatedMs'])
    .where('id', 'in', [...new Set(looks.map(({ photoId }) => photoId))])
    .execute();
  const over = photos.filter(
    ({ state, updatedMs }) => !isUnderWay(state) && Number(updatedMs) < beforeMs,
  );
  return { photoIds: over.map(({ id }) => id), ...nextOf(looks, limit) };
}
