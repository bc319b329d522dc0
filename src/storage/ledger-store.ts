import type { LedgerTable } from '../studio/ports/store.js';
import { outcomeOf, type Target } from './rows.js';

/** Accounts and append-only transfers; the database keeps balances from going below zero. */
export function ledgerTable({ db }: Target): LedgerTable {
  return {
    openAccount: async (account) => {
      await db
        .insertInto('accounts')
        .values({ ...account, balance: 0 })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    },
    account: (id) => db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst(),
    add: async (accountId, delta) => {
      const changed = await db
        .updateTable('accounts')
        .set((one) => ({ balance: one('balance', '+', delta) }))
        .where('id', '=', accountId)
        // The CHECK would refuse it too, but on PostgreSQL end the transaction.
        .where((one) => one(one('balance', '+', delta), '>=', 0))
        .executeTakeFirst();
      return changed.numUpdatedRows === 1n;
    },
    insert: async (transfer) =>
      outcomeOf(
        await db
          .insertInto('transfers')
          .values(transfer)
          .onConflict((conflict) => conflict.column('key').doNothing())
          .executeTakeFirst(),
      ),
    byKey: (key) =>
      db.selectFrom('transfers').selectAll().where('key', '=', key).executeTakeFirst(),
    ofAccount: async (accountId, limit) => {
      const newest = db.selectFrom('transfers').selectAll().orderBy('atMs', 'desc').limit(limit);
      // Each side by its own index; both at once would be read whole and sorted.
      const out = await newest.where('from', '=', accountId).execute();
      const into = await newest.where('to', '=', accountId).execute();
      return [...out, ...into].sort((one, other) => other.atMs - one.atMs).slice(0, limit);
    },
  };
}
