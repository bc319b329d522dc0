import { moneyRaces } from '../contracts/money-races.js';

moneyRaces(async () => ({ config: {}, stop: async () => {} }));
