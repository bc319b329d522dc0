import type { InboxTable, SettingTable } from '../studio/ports/store.js';
import type { NotificationRecord, QuarantineRecord } from '../studio/records.js';
import { jsonFields, outcomeOf, type Target } from './rows.js';

/** Notifications of providers, each once, and what is set aside for the operator. */
export function inboxTable({ db }: Target): InboxTable {
  const notification = jsonFields<NotificationRecord>('status');
  const finding = jsonFields<QuarantineRecord>('status');
  return {
    add: async (record) =>
      outcomeOf(
        await db
          .insertInto('notifications')
          .values(notification.toRow(record) as never)
          .onConflict((conflict) => conflict.columns(['gateway', 'key']).doNothing())
          .executeTakeFirst(),
      ),
    unhandled: async ({ outTradeNo, limit }) => {
      let query = db.selectFrom('notifications').selectAll().where('handledMs', 'is', null);
      if (outTradeNo !== undefined) query = query.where('outTradeNo', '=', outTradeNo);
      return (await query.orderBy('receivedMs').limit(limit).execute()).map(notification.fromRow);
    },
    handled: async (gateway, key, atMs) => {
      await db
        .updateTable('notifications')
        .set({ handledMs: atMs })
        .where('gateway', '=', gateway)
        .where('key', '=', key)
        .execute();
    },
    quarantine: async (record) =>
      outcomeOf(
        await db
          .insertInto('quarantine')
          .values(finding.toRow(record) as never)
          .onConflict((conflict) => conflict.columns(['gateway', 'key']).doNothing())
          .executeTakeFirst(),
      ),
    quarantined: async (limit) => {
      const query = db.selectFrom('quarantine').selectAll().where('resolvedMs', 'is', null);
      return (await query.orderBy('atMs').limit(limit).execute()).map(finding.fromRow);
    },
    resolve: async (id, atMs) => {
      const changed = await db
        .updateTable('quarantine')
        .set({ resolvedMs: atMs })
        .where('id', '=', id)
        .where('resolvedMs', 'is', null)
        .executeTakeFirst();
      return changed.numUpdatedRows === 1n;
    },
  };
}

/** Small values that outlive the process, by name. */
export function settingTable({ db }: Target): SettingTable {
  return {
    get: async (name) => {
      const query = db.selectFrom('settings').select('value').where('name', '=', name);
      return (await query.executeTakeFirst())?.value;
    },
    set: async (name, value) => {
      await db
        .insertInto('settings')
        .values({ name, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute();
    },
  };
}
