import type { Kysely, Transaction } from 'kysely';
import type { DialectName } from './migrations/index.js';
import type { Schema } from './schema.js';

/** Where a table's statements go: a transaction, or the handle for reading. */
export interface Target {
  readonly db: Kysely<Schema> | Transaction<Schema>;
  readonly dialect: DialectName;
}

type AnyDb = Kysely<Record<string, Record<string, unknown>>>;

/** JSON fields between records and rows. */
export function jsonFields<R extends object>(...fields: readonly (keyof R & string)[]) {
  const set = new Set<string>(fields);
  return {
    toRow: (record: Partial<R>): Record<string, unknown> =>
      Object.fromEntries(
        Object.entries(record).map(([name, value]) => [
          name,
          set.has(name) && value !== null && value !== undefined ? JSON.stringify(value) : value,
        ]),
      ),
    fromRow: (row: object): R =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          set.has(name) && typeof value === 'string' ? JSON.parse(value) : value,
        ]),
      ) as R,
  };
}

/** The four statements that every table with an id has. */
export function rows<R extends { readonly id: string }>(
  { db, dialect }: Target,
  table: keyof Schema & string,
  ...json: readonly (keyof R & string)[]
) {
  const any = db as unknown as AnyDb;
  const { toRow, fromRow } = jsonFields<R>(...json);
  const byId = (id: string) => any.selectFrom(table).selectAll().where('id', '=', id);
  return {
    fromRow,
    insert: async (row: R) => {
      await any.insertInto(table).values(toRow(row)).execute();
    },
    find: async (id: string) => {
      const row = await byId(id).executeTakeFirst();
      return row && fromRow(row);
    },
    lock: async (id: string) => {
      const query = byId(id);
      // A SQLite transaction is the only writer already.
      const row = await (dialect === 'sqlite' ? query : query.forUpdate()).executeTakeFirst();
      return row && fromRow(row);
    },
    update: async (id: string, changes: Partial<Omit<R, 'id'>>) => {
      const values = toRow(changes as Partial<R>);
      if (Object.keys(values).length === 0) return;
      await any.updateTable(table).set(values).where('id', '=', id).execute();
    },
  };
}

/** Whether an `insert ... on conflict do nothing` wrote. */
export function outcomeOf(result: { numInsertedOrUpdatedRows?: bigint }): 'added' | 'exists' {
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n ? 'added' : 'exists';
}
