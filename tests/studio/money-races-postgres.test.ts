import { moneyRaces } from '../contracts/money-races.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

moneyRaces(async () => ({
  config: { url: await postgres.createDatabase() },
  stop: async () => {},
}));
