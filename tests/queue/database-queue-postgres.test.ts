import type { Kysely } from 'kysely';
import { createDatabaseQueue } from '../../src/queue/database-queue.js';
import type { QueueTables } from '../../src/queue/database-tables.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import {
  contractPolicy,
  type DatabaseHarness,
  databaseLeaseContract,
  queueContract,
} from '../contracts/queue.js';
import { startPostgres } from '../support/postgres.js';
import { keepingLogger, wallClock } from '../support/quiet.js';

async function start(): Promise<DatabaseHarness> {
  const server = await startPostgres();
  const url = await server.createDatabase();
  const databases: Database[] = [];
  const open = () => openMigratedDatabase({ file: '', url, connections: 6 }, wallClock);
  const control = await open();
  return {
    victim: ['postgres', url] as const,
    open: async () => {
      const database = await open();
      databases.push(database);
      const db = database.relaxed as unknown as Kysely<QueueTables>;
      return createDatabaseQueue(
        { db, clock: wallClock, logger: keepingLogger() },
        { dialect: 'postgres', pollMs: 100, ...contractPolicy },
      );
    },
    reset: async () => {
      await Promise.all(databases.splice(0).map((d) => d.close()));
      await (control.raw as unknown as Kysely<QueueTables>).deleteFrom('queue_jobs').execute();
    },
    change: async (key, columns) => {
      const db = control.raw as unknown as Kysely<QueueTables>;
      await db.updateTable('queue_jobs').set(columns).where('key', '=', key).execute();
    },
    stop: async () => {
      await Promise.all([control, ...databases].map((d) => d.close()));
      await server.stop();
    },
  };
}

queueContract(start);
databaseLeaseContract(start);
