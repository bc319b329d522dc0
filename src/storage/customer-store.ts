import type { CodeTable, CustomerTable } from '../studio/ports/store.js';
import type { CustomerRecord } from '../studio/records.js';
import { outcomeOf, rows, type Target } from './rows.js';

/** Customers and their identities in the channels. */
export function customerTable(target: Target): CustomerTable {
  const { db } = target;
  const { fromRow, ...base } = rows<CustomerRecord>(target, 'customers', 'finishing');
  return {
    ...base,
    byIdentity: async (channel, userId) => {
      const row = await db
        .selectFrom('identities')
        .innerJoin('customers', 'customers.id', 'identities.customerId')
        .selectAll('customers')
        .where('identities.channel', '=', channel)
        .where('identities.userId', '=', userId)
        .executeTakeFirst();
      return row && fromRow(row);
    },
    byCode: async (code) => {
      const query = db.selectFrom('customers').selectAll().where('code', '=', code);
      const row = await query.executeTakeFirst();
      return row && fromRow(row);
    },
    addIdentity: async (identity) =>
      outcomeOf(
        await db
          .insertInto('identities')
          .values(identity)
          .onConflict((conflict) => conflict.columns(['channel', 'userId']).doNothing())
          .executeTakeFirst(),
      ),
    touchIdentity: async (channel, userId, chatId, seenMs) => {
      await db
        .updateTable('identities')
        .set({ chatId, seenMs })
        .where('channel', '=', channel)
        .where('userId', '=', userId)
        .execute();
    },
    identities: (customerId) =>
      db
        .selectFrom('identities')
        .selectAll()
        .where('customerId', '=', customerId)
        .orderBy('seenMs', 'desc')
        .execute(),
    dropIdentities: (customerId) => dropIdentities(target, customerId),
    move: (fromId, toId) => move(target, fromId, toId),
  };
}

/** Names in chats, what is remembered of those chats, and what the operator was asked. */
async function dropIdentities({ db }: Target, customerId: string): Promise<void> {
  const mine = db.selectFrom('identities').where('customerId', '=', customerId);
  for (const { channel, chatId } of await mine.select(['channel', 'chatId']).execute()) {
    for (const table of ['chatMessages', 'chatStates', 'chatUpdates'] as const) {
      const rows = db
        .deleteFrom(table)
        .where('channel', '=', channel)
        .where('chatKey', '=', chatId);
      // What just came in is still to be answered; it is forgotten with its age.
      await (table === 'chatUpdates' ? rows.where('handledMs', 'is not', null) : rows).execute();
    }
  }
  await db.deleteFrom('questions').where('customerId', '=', customerId).execute();
  await db.deleteFrom('identities').where('customerId', '=', customerId).execute();
}

/** A photo's and a wish's natural keys are unique per customer: the old owner prefixes them. */
async function move({ db }: Target, fromId: string, toId: string): Promise<void> {
  for (const table of ['identities', 'orders', 'holds', 'questions'] as const) {
    await db
      .updateTable(table)
      .set({ customerId: toId })
      .where('customerId', '=', fromId)
      .execute();
  }
  for (const table of ['photos', 'wishes'] as const) {
    await db
      .updateTable(table)
      .set((one) => ({ customerId: toId, key: one(one.val(`${fromId}:`), '||', one.ref('key')) }))
      .where('customerId', '=', fromId)
      .execute();
  }
}

/** Link codes and credit codes, by their hash only. */
export function codeTable({ db }: Target): CodeTable {
  return {
    addLink: async (hash, customerId, expiresMs) => {
      await db
        .insertInto('linkCodes')
        .values({ hash, customerId, expiresMs, usedMs: null })
        .execute();
    },
    takeLink: async (hash, nowMs) => {
      const taken = await db
        .updateTable('linkCodes')
        .set({ usedMs: nowMs })
        .where('hash', '=', hash)
        .where('usedMs', 'is', null)
        .where('expiresMs', '>', nowMs)
        .returning('customerId')
        .executeTakeFirst();
      return taken?.customerId;
    },
    addCredit: async (hash, batch, credits, expiresMs) => {
      await db
        .insertInto('creditCodes')
        .values({ hash, batch, credits, expiresMs, usedMs: null, customerId: null })
        .execute();
    },
    takeCredit: async (hash, customerId, nowMs) => {
      const taken = await db
        .updateTable('creditCodes')
        .set({ usedMs: nowMs, customerId })
        .where('hash', '=', hash)
        .where('usedMs', 'is', null)
        .where((or) => or.or([or('expiresMs', 'is', null), or('expiresMs', '>', nowMs)]))
        .returning('credits')
        .executeTakeFirst();
      return taken?.credits;
    },
  };
}
