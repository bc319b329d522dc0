import { sql } from 'kysely';
import { statesUnderWay } from '../studio/photo.js';
import type { LookTable, PhotoTable, TimelineTable } from '../studio/ports/store.js';
import type { LookRecord, PhotoRecord, TimelineRecord } from '../studio/records.js';
import { keepersOf } from './kept-files.js';
import { jsonFields, rows, type Target } from './rows.js';

/** Written out, not bound: only so SQLite sees that a partial index has the rows. */
const underWay = statesUnderWay.map((state) => sql.lit(state));

/** Photos, over SQLite and PostgreSQL alike. */
export function photoTable(target: Target): PhotoTable {
  const { db } = target;
  const { fromRow, ...base } = rows<PhotoRecord>(target, 'photos', 'chat', 'error');
  const all = db.selectFrom('photos').selectAll();
  const count = db.selectFrom('photos').select((one) => one.fn.countAll<number>().as('count'));
  return {
    ...base,
    byKey: async (customerId, key) => {
      const query = all.where('customerId', '=', customerId).where('key', '=', key);
      const row = await query.executeTakeFirst();
      return row && fromRow(row);
    },
    byOriginal: async (customerId, originalKey) => {
      const row = await all
        .where('originalKey', '=', originalKey)
        .where('customerId', '=', customerId)
        .where('state', '<>', 'deleted')
        .orderBy('createdMs', 'desc')
        .executeTakeFirst();
      return row && fromRow(row);
    },
    list: async (customerId, limit, before) => {
      let query = all.where('customerId', '=', customerId).where('state', '<>', 'deleted');
      if (before !== undefined) query = query.where('id', '<', before);
      const found = await query.orderBy('id', 'desc').limit(limit).execute();
      return found.map(fromRow);
    },
    countSince: async (customerId, sinceMs) => {
      const query = count.where('customerId', '=', customerId).where('createdMs', '>=', sinceMs);
      return Number((await query.executeTakeFirstOrThrow()).count);
    },
    countWaiting: async ({ customerId, beforeMs }) => {
      let query = count.where('state', 'in', underWay);
      if (customerId !== undefined) query = query.where('customerId', '=', customerId);
      if (beforeMs !== undefined) query = query.where('createdMs', '<', beforeMs);
      return Number((await query.executeTakeFirstOrThrow()).count);
    },
    idle: async (beforeMs, limit) => {
      const query = all.where('state', 'in', underWay).where('updatedMs', '<', beforeMs);
      return (await query.orderBy('updatedMs').limit(limit).execute()).map(fromRow);
    },
    usesBlob: (key) => usesBlob(target, key),
    newestMs: (beforeMs) => newestMs(target, beforeMs),
    withExpired: (kind, beforeMs, limit, after) =>
      keepersOf(target, kind, { beforeMs, limit, after }),
  };
}

async function newestMs({ db }: Target, beforeMs: number): Promise<number | undefined> {
  const { newest } = await db
    .selectFrom('photos')
    .where('createdMs', '<=', beforeMs)
    .select((eb) => eb.fn.max('createdMs').as('newest'))
    .executeTakeFirstOrThrow();
  return newest === null ? undefined : Number(newest);
}

async function usesBlob({ db }: Target, key: string): Promise<boolean> {
  const photo = await db
    .selectFrom('photos')
    .select('id')
    .where((or) =>
      or.or([
        ...[or('originalKey', '=', key), or('masterKey', '=', key)],
        ...[or('screenKey', '=', key), or('sheetKey', '=', key)],
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  if (photo) return true;
  const look = await db
    .selectFrom('looks')
    .select('id')
    .where((or) =>
      or.or([or('chromaKey', '=', key), or('previewKey', '=', key), or('comparisonKey', '=', key)]),
    )
    .limit(1)
    .executeTakeFirst();
  return look !== undefined;
}

/** Looks of photos. */
export function lookTable(target: Target): LookTable {
  const { fromRow, ...base } = rows<LookRecord>(target, 'looks', 'finishing', 'notes');
  return {
    ...base,
    ofPhoto: async (photoId) => {
      const query = target.db.selectFrom('looks').selectAll().where('photoId', '=', photoId);
      return (await query.orderBy('index').execute()).map(fromRow);
    },
  };
}

/** What happened to photos, line by line; a repeated line is written once. */
export function timelineTable({ db }: Target): TimelineTable {
  const { toRow, fromRow } = jsonFields<TimelineRecord>('details');
  return {
    add: async (lines) => {
      if (lines.length === 0) return;
      await db
        .insertInto('timeline')
        .values(lines.map((line) => toRow(line) as never))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    },
    ofPhoto: async (photoId) => {
      const query = db.selectFrom('timeline').selectAll().where('photoId', '=', photoId);
      return (await query.orderBy('atMs').orderBy('id').execute()).map(fromRow);
    },
    drop: async (photoId) => {
      await db.deleteFrom('timeline').where('photoId', '=', photoId).execute();
    },
  };
}
