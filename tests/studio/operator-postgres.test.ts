import { operatorContract } from '../contracts/operator.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

operatorContract(
  async () => ({ url: await postgres.createDatabase() }),
  async () => ({ file: '', url: await postgres.createDatabase() }),
);
