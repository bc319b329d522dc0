import { z } from 'zod';
import { setting } from './setting.js';

/** A new one each time: what is said of a setting hangs on its schema. */
const origin = () =>
  z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .nullable();
const secret = (env: string, example: string, shortest = 1) =>
  setting(z.string().min(shortest).nullable(), { example, env, secret: true });

/** Many boxes as one: where blobs lie for all of them, and what a worker says of itself. */
export const fleetSections = {
  s3: z.strictObject({
    endpoint: setting(origin(), {
      example: 'https://oss-cn-hangzhou.aliyuncs.com',
      env: 'S3_ENDPOINT',
    }),
    bucket: setting(z.string().min(3).max(63).nullable(), {
      example: 'huancai-photos',
      env: 'S3_BUCKET',
    }),
    accessKeyId: secret('S3_ACCESS_KEY_ID', 'LTAI5tExample'),
    secretAccessKey: secret('S3_SECRET_ACCESS_KEY', 'from the provider'),
    region: setting(z.string().min(1), { example: 'oss-cn-hangzhou', env: 'S3_REGION' }),
    pathStyle: setting(z.boolean(), { example: 'true', env: 'S3_PATH_STYLE' }),
    prefix: setting(z.string().regex(/^([\w-]+(\/[\w-]+)*)?$/), {
      example: 'huancai',
      env: 'S3_PREFIX',
    }),
  }),
  blobs: z.strictObject({
    cacheBytes: setting(z.int().min(100_000_000), { example: '10000000000' }),
    cacheHours: setting(z.number().min(1).max(720), { example: '12' }),
    stallMs: setting(z.int().min(1_000).max(600_000), { example: '20000' }),
    tries: setting(z.int().min(1).max(20), { example: '5' }),
  }),
  worker: z.strictObject({
    studioUrl: setting(origin(), {
      example: 'http://192.168.1.10:8080',
      env: 'HUANCAI_STUDIO_URL',
    }),
    token: secret('HUANCAI_WORKER_TOKEN', 'openssl rand -hex 32', 32),
    models: setting(z.array(z.string().min(1)), { example: '[ddcolor-tiny]' }),
    maxSizePx: setting(z.int().min(64).max(2048).nullable(), { example: '1024' }),
    seconds: setting(z.number().positive().max(3_600).nullable(), { example: '4.5' }),
  }),
};
