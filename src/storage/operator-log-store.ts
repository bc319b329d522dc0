import type { OperatorLogRecord } from '../studio/ports/operator.js';
import type { OperatorLogTable } from '../studio/ports/store.js';
import { jsonFields, outcomeOf, type Target } from './rows.js';

/** The operator's log; append-only. */
export function operatorLogTable({ db }: Target): OperatorLogTable {
  const { toRow, fromRow } = jsonFields<OperatorLogRecord>('details');
  return {
    add: async (record) =>
      outcomeOf(
        await db
          .insertInto('operatorLog')
          .values(toRow(record) as never)
          .onConflict((conflict) => conflict.column('key').doNothing())
          .executeTakeFirst(),
      ),
    list: async (limit) => {
      const query = db.selectFrom('operatorLog').selectAll();
      const newest = query.orderBy('atMs', 'desc').orderBy('key', 'desc').limit(limit);
      return (await newest.execute()).map(fromRow);
    },
  };
}
