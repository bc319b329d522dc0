import { openMigratedDatabase } from '../../src/storage/database.js';
import { storeContract } from '../contracts/store.js';
import { startPostgres } from '../support/postgres.js';
import { wallClock } from '../support/quiet.js';

storeContract(async () => {
  const postgres = await startPostgres();
  return {
    open: async () => {
      const url = await postgres.createDatabase();
      const again = () => openMigratedDatabase({ file: '', url }, wallClock);
      return { database: await again(), again };
    },
    stop: () => postgres.stop(),
  };
});
