import type { Context } from './context.js';
import type { Actor, OperatorLogRecord } from './ports/operator.js';
import type { Tables } from './ports/store.js';

/** Write a line about what the transaction changes; without a key it is a line of its own. */
export type Note = (
  line: Pick<OperatorLogRecord, 'action' | 'subject' | 'details'> & { readonly key?: string },
) => Promise<void>;

/**
 * A change by an operator: one transaction of the change and its line in the operator's log. The
 * process' own log hears of it after the commit.
 * @param work must call `note` for what it changes, and only then.
 */
export async function asOperator<T>(
  { store, ids, clock, log }: Pick<Context, 'store' | 'ids' | 'clock' | 'log'>,
  by: Actor,
  work: (tables: Tables, note: Note) => Promise<T>,
): Promise<T> {
  let added: OperatorLogRecord[] = [];
  const result = await store.transaction((tables) => {
    // It may run again after a deadlock.
    added = [];
    return work(tables, async ({ key = ids.next('event'), ...line }) => {
      const record = { ...line, key, atMs: clock.now(), door: by.door, actor: by.name };
      if ((await tables.operatorLog.add(record)) === 'added') added.push(record);
    });
  });
  for (const { action, details, door } of added)
    log.info(`operator.${action}`, { door, ...details });
  return result;
}
