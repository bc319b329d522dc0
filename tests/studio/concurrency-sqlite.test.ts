import { studioConcurrency } from '../contracts/studio-concurrency.js';

studioConcurrency(async () => ({ config: {}, stop: async () => {} }));
