import { studioCrashes } from '../contracts/studio-crashes.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

studioCrashes([11, 12, 13], async () => ({ url: await postgres.createDatabase() }));
