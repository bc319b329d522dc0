import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { chatLogContract } from '../contracts/chat-log.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const clock = { now: () => Date.now() };
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-chats-'));
let postgres: TestPostgres | undefined;

afterAll(async () => {
  await postgres?.stop();
  rmSync(dir, { recursive: true, force: true });
});

chatLogContract('SQLite', () =>
  openMigratedDatabase({ file: path.join(dir, 'chats.sqlite') }, clock),
);
chatLogContract('PostgreSQL', async () => {
  postgres = await startPostgres();
  return openMigratedDatabase({ file: '', url: await postgres.createDatabase() }, clock);
});
