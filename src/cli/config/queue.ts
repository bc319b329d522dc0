import { z } from 'zod';
import { setting } from './setting.js';

/** Where state lives, how work is shared, and how much of it runs at once. */
export const queueSections = {
  database: z.strictObject({
    url: setting(z.url({ protocol: /^postgres(ql)?$/ }).nullable(), {
      example: 'postgres://huancai:password@127.0.0.1:5432/huancai',
      env: 'DATABASE_URL',
      secret: true,
    }),
    connections: setting(z.int().min(2).max(200), { example: '10' }),
  }),
  queue: z.strictObject({
    redisUrl: setting(z.url({ protocol: /^rediss?$/ }).nullable(), {
      example: 'redis://127.0.0.1:6379',
      env: 'REDIS_URL',
      secret: true,
    }),
    pollMs: setting(z.int().min(50).max(60_000), { example: '1000' }),
    leaseMs: setting(z.int().min(1_000).max(600_000), { example: '20000' }),
    maxAttempts: setting(z.int().min(1).max(100), { example: '8' }),
    maxLostWorkers: setting(z.int().min(1).max(100), { example: '4' }),
    maxLostWorkersPerPhoto: setting(z.int().min(1).max(100), { example: '1' }),
    keepDoneDays: setting(z.number().min(0.01).max(365), { example: '7' }),
  }),
  work: z.strictObject({
    photosAtOnce: setting(z.int().min(0).max(64), { example: '2' }),
    mastersAtOnce: setting(z.int().min(1).max(64), { example: '2' }),
    jobsAtOnce: setting(z.int().min(1).max(256), { example: '8' }),
    drainMs: setting(z.int().min(0).max(600_000), { example: '20000' }),
  }),
  sandbox: z.strictObject({
    gateway: setting(z.enum(['auto', 'on', 'off']), { example: 'on', env: 'HUANCAI_SANDBOX' }),
  }),
  log: z.strictObject({
    level: setting(z.enum(['debug', 'info', 'warn', 'error']).nullable(), { example: 'info' }),
  }),
};
