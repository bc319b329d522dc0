import type { QuestionTable } from '../studio/ports/store.js';
import { outcomeOf, type Target } from './rows.js';

/** What customers ask the operator. */
export function questionTable({ db }: Target): QuestionTable {
  return {
    add: async (question) =>
      outcomeOf(
        await db
          .insertInto('questions')
          .values(question)
          .onConflict((conflict) => conflict.column('key').doNothing())
          .executeTakeFirst(),
      ),
    waiting: (limit) =>
      db
        .selectFrom('questions')
        .selectAll()
        .where('answeredMs', 'is', null)
        .orderBy('createdMs')
        .orderBy('key')
        .limit(limit)
        .execute(),
    answered: async (customerId, answeredMs) => {
      const waiting = db.updateTable('questions').set({ answeredMs });
      const his = waiting.where('customerId', '=', customerId).where('answeredMs', 'is', null);
      await his.execute();
    },
  };
}
