import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Kysely } from 'kysely';
import { createDatabaseQueue } from '../../src/queue/database-queue.js';
import type { QueueTables } from '../../src/queue/database-tables.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import type { JobQueue } from '../../src/studio/ports/queue.js';
import {
  contractPolicy,
  type DatabaseHarness,
  databaseLeaseContract,
  queueContract,
} from '../contracts/queue.js';
import { keepingLogger, wallClock } from '../support/quiet.js';

/** Each opened queue has its own connection to the file, as another process would. */
async function start(): Promise<DatabaseHarness> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-queue-'));
  const file = path.join(dir, 'studio.db');
  const databases: Database[] = [];
  const open = () => openMigratedDatabase({ file }, wallClock);
  return {
    victim: ['sqlite', file] as const,
    open: async (): Promise<JobQueue> => {
      const database = await open();
      databases.push(database);
      const db = database.relaxed as unknown as Kysely<QueueTables>;
      return createDatabaseQueue(
        { db, clock: wallClock, logger: keepingLogger() },
        { dialect: 'sqlite', pollMs: 100, ...contractPolicy },
      );
    },
    reset: async () => {
      const database = await open();
      const db = database.relaxed as unknown as Kysely<QueueTables>;
      await db.deleteFrom('queue_jobs').execute();
      await database.close();
    },
    change: async (key, columns) => {
      const database = await open();
      const db = database.relaxed as unknown as Kysely<QueueTables>;
      await db.updateTable('queue_jobs').set(columns).where('key', '=', key).execute();
      await database.close();
    },
    stop: async () => {
      await Promise.all(databases.map((d) => d.close()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

queueContract(start);
databaseLeaseContract(start);
