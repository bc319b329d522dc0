import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { storeContract } from '../contracts/store.js';
import { wallClock } from '../support/quiet.js';

storeContract(async () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-store-'));
  let databases = 0;
  return {
    open: async () => {
      databases += 1;
      const file = path.join(dir, `studio-${databases}.db`);
      const again = () => openMigratedDatabase({ file }, wallClock);
      return { database: await again(), again };
    },
    stop: async () => rmSync(dir, { recursive: true, force: true }),
  };
});
