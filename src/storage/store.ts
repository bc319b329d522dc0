import { sql, type Transaction } from 'kysely';
import { DatabaseAway } from '../studio/errors/index.js';
import type { Store, Tables } from '../studio/ports/store.js';
import { codeTable, customerTable } from './customer-store.js';
import type { Database } from './database.js';
import { mayRunAgain, translateDatabaseError } from './database-errors.js';
import { createGroupCommit } from './group-commit.js';
import { inboxTable, settingTable } from './inbox-store.js';
import { labelWaiverTable } from './label-waiver-store.js';
import { ledgerTable } from './ledger-store.js';
import { operatorLogTable } from './operator-log-store.js';
import { chargeTable, holdTable, orderTable, refundTable } from './order-store.js';
import { outboxTable } from './outbox-store.js';
import { lookTable, photoTable, timelineTable } from './photo-store.js';
import { questionTable } from './question-store.js';
import { reportTable } from './report-store.js';
import type { Target } from './rows.js';
import type { Schema } from './schema.js';

/** Runs of one transaction before a deadlock is given up. */
const attemptsMax = 10;

/** The studio's database over an open, migrated one. */
export function createStore(database: Database): Store {
  const listeners = new Set<() => void>();
  const { dialect, writer, reader } = database;
  // PostgreSQL groups commits by itself.
  const commit = dialect === 'sqlite' ? createGroupCommit(writer) : inTransaction(writer);

  async function transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      let added = false;
      const note = () => {
        added = true;
      };
      try {
        const result = await commit((db) => work(tablesOf({ db, dialect }, note)));
        if (added) for (const listener of listeners) listener();
        return result;
      } catch (error) {
        if (!mayRunAgain(error) || attempt === attemptsMax) throw translateDatabaseError(error);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
      }
    }
  }

  return {
    transaction,
    read: translated(tablesOf({ db: reader, dialect }, () => {})),
    onOutbox: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: async () => {
      try {
        await sql`select 1`.execute(reader);
        if (dialect === 'postgres') await refuseReadOnly(reader);
      } catch (error) {
        throw new DatabaseAway(error);
      }
    },
    close: () => database.close(),
  };
}

/** A standby, or a primary that has just become one, answers questions and keeps nothing. */
async function refuseReadOnly(reader: Database['reader']): Promise<void> {
  const { rows } = await sql<{ mode: string }>`
    select current_setting('transaction_read_only') as mode`.execute(reader);
  if (rows[0]?.mode === 'on') throw new Error('the database is read-only');
}

function inTransaction(writer: Database['writer']) {
  return <T>(work: (db: Transaction<Schema>) => Promise<T>) => writer.transaction().execute(work);
}

type AnyCall = (...args: unknown[]) => Promise<unknown>;

/** Every table's calls with the driver's errors told as ours. */
function translated(tables: Tables): Tables {
  const guard =
    (call: AnyCall): AnyCall =>
    async (...args) => {
      try {
        return await call(...args);
      } catch (error) {
        throw translateDatabaseError(error);
      }
    };
  const guarded = Object.entries(tables).map(([name, table]) => {
    const calls = Object.entries(table as Record<string, AnyCall>);
    return [name, Object.fromEntries(calls.map(([key, call]) => [key, guard(call)]))];
  });
  return Object.fromEntries(guarded);
}

function tablesOf(target: Target, onOutbox: () => void): Tables {
  return {
    customers: customerTable(target),
    codes: codeTable(target),
    photos: photoTable(target),
    looks: lookTable(target),
    timeline: timelineTable(target),
    orders: orderTable(target),
    charges: chargeTable(target),
    refunds: refundTable(target),
    holds: holdTable(target),
    ledger: ledgerTable(target),
    inbox: inboxTable(target),
    outbox: outboxTable(target, onOutbox),
    settings: settingTable(target),
    operatorLog: operatorLogTable(target),
    questions: questionTable(target),
    labelWaivers: labelWaiverTable(target),
    reports: reportTable(target),
  };
}
