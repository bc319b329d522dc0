import { isIP } from 'node:net';
import { z } from 'zod';
import { setting } from './setting.js';

/** Figures for Prometheus: off until a token or a port is given. */
export const metricsSections = {
  metrics: z
    .strictObject({
      token: setting(z.string().min(16).nullable(), {
        example: 'the output of: openssl rand -hex 32',
        env: 'METRICS_TOKEN',
        secret: true,
      }),
      host: setting(z.string().min(1), { example: '127.0.0.1', env: 'METRICS_HOST' }),
      port: setting(z.int().min(0).max(65_535).nullable(), {
        example: '9464',
        env: 'METRICS_PORT',
      }),
    })
    .refine(({ token, host, port }) => port === null || token !== null || isLoopback(host), {
      path: ['token'],
      error: 'a port that other machines reach needs a token',
    }),
};

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
