import { studioConcurrency } from '../contracts/studio-concurrency.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

studioConcurrency(async () => ({
  config: { url: await postgres.createDatabase() },
  stop: async () => {},
}));
