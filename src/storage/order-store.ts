import { sql } from 'kysely';
import type { ChargeTable, HoldTable, OrderTable, RefundTable } from '../studio/ports/store.js';
import type { ChargeRecord, HoldRecord, OrderRecord, RefundRecord } from '../studio/records.js';
import { rows, type Target } from './rows.js';

// States are written out, not bound: only so SQLite sees that a partial index has the rows.
const openStates = ['created', 'pending'].map((state) => sql.lit(state as OrderRecord['state']));

/** Orders. */
export function orderTable(target: Target): OrderTable {
  const { db } = target;
  const { fromRow, ...base } = rows<OrderRecord>(target, 'orders', 'chat');
  return {
    ...base,
    byPayToken: async (token) => {
      const query = db.selectFrom('orders').selectAll().where('payToken', '=', token);
      const row = await query.executeTakeFirst();
      return row && fromRow(row);
    },
    list: async ({ customerId, limit }) => {
      let query = db.selectFrom('orders').selectAll().orderBy('id', 'desc').limit(limit);
      if (customerId !== undefined) query = query.where('customerId', '=', customerId);
      return (await query.execute()).map(fromRow);
    },
    open: async (customerId) => {
      const mine = db.selectFrom('orders').selectAll().where('customerId', '=', customerId);
      const open = mine.where('state', 'in', openStates);
      return (await open.orderBy('id').execute()).map(fromRow);
    },
    setPhotos: async (orderId, photoIds) => {
      if (photoIds.length === 0) return;
      const values = photoIds.map((photoId, position) => ({ orderId, photoId, position }));
      await db.insertInto('orderPhotos').values(values).execute();
    },
    photosOf: async (orderId) => {
      const query = db.selectFrom('orderPhotos').select('photoId').where('orderId', '=', orderId);
      return (await query.orderBy('position').execute()).map((row) => row.photoId);
    },
    hasPaid: async (customerId) => {
      const mine = db.selectFrom('orders').select('id').where('customerId', '=', customerId);
      const paid = mine.where('paidMs', 'is not', null).limit(1);
      return (await paid.executeTakeFirst()) !== undefined;
    },
    wish: (customerId, key) =>
      db
        .selectFrom('wishes')
        .selectAll()
        .where('customerId', '=', customerId)
        .where('key', '=', key)
        .executeTakeFirst(),
    addWish: async (wish) => {
      await db.insertInto('wishes').values(wish).execute();
    },
  };
}

/** What a provider was asked to take, one charge after the other. */
export function chargeTable(target: Target): ChargeTable {
  const { db } = target;
  const { fromRow, ...base } = rows<ChargeRecord>(target, 'charges', 'offer');
  const all = db.selectFrom('charges').selectAll();
  return {
    ...base,
    ofOrder: async (orderId) => {
      const row = await all.where('orderId', '=', orderId).executeTakeFirst();
      return row && fromRow(row);
    },
    byProvider: async (gateway, providerId) => {
      const query = all.where('gateway', '=', gateway).where('providerId', '=', providerId);
      const row = await query.executeTakeFirst();
      return row && fromRow(row);
    },
    due: async (nowMs, limit) => {
      const query = all.where('nextPollMs', '<=', nowMs).orderBy('nextPollMs').limit(limit);
      return (await query.execute()).map(fromRow);
    },
  };
}

/** What a provider was asked to give back. */
export function refundTable(target: Target): RefundTable {
  const { db } = target;
  const { fromRow: _, ...base } = rows<RefundRecord>(target, 'refunds');
  const all = db.selectFrom('refunds').selectAll();
  return {
    ...base,
    byKey: (orderId, key) =>
      all.where('orderId', '=', orderId).where('key', '=', key).executeTakeFirst(),
    ofOrder: (orderId) => all.where('orderId', '=', orderId).orderBy('id').execute(),
    due: (nowMs, limit) =>
      all.where('nextPollMs', '<=', nowMs).orderBy('nextPollMs').limit(limit).execute(),
  };
}

const heldState = sql.lit('held' as const);
const activeStates = [heldState, sql.lit('posted' as const)];

/** Credits set aside for work under way. */
export function holdTable(target: Target): HoldTable {
  const { db } = target;
  const { fromRow: _, ...base } = rows<HoldRecord>(target, 'holds');
  const all = db.selectFrom('holds').selectAll();
  return {
    ...base,
    active: (photoId) =>
      all.where('photoId', '=', photoId).where('state', 'in', activeStates).executeTakeFirst(),
    ofOrder: (orderId) => all.where('orderId', '=', orderId).orderBy('id').execute(),
    held: (beforeMs, limit) =>
      all
        .where('state', '=', heldState)
        .where('createdMs', '<', beforeMs)
        .orderBy('createdMs')
        .limit(limit)
        .execute(),
  };
}
