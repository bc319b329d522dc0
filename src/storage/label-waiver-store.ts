import type { LabelWaiverTable } from '../studio/ports/store.js';
import { outcomeOf, type Target } from './rows.js';

/** Who was given files without a visible label. */
export function labelWaiverTable({ db }: Target): LabelWaiverTable {
  return {
    add: async (waiver) =>
      outcomeOf(
        await db
          .insertInto('labelWaivers')
          .values(waiver)
          .onConflict((conflict) => conflict.column('key').doNothing())
          .executeTakeFirst(),
      ),
    ofCustomer: (customerId) =>
      db
        .selectFrom('labelWaivers')
        .selectAll()
        .where('customerId', '=', customerId)
        .orderBy('atMs', 'desc')
        .execute(),
    drop: async (beforeMs) => {
      const done = db.deleteFrom('labelWaivers').where('atMs', '<', beforeMs);
      return Number((await done.executeTakeFirst()).numDeletedRows);
    },
  };
}
