import { z } from 'zod';
import { setting } from './setting.js';

const count = (example: string) => setting(z.int().min(0), { example });

/** The web page and HTTP API: where to listen, and how much one visitor may ask. 0: no limit. */
export const webSections = {
  web: z.strictObject({
    host: setting(z.string().min(1), { example: '0.0.0.0', env: 'HOST' }),
    port: setting(z.int().min(0).max(65_535), { example: '8080', env: 'PORT' }),
    publicUrl: setting(
      z
        .url({ protocol: /^https?$/ })
        .transform((url) => url.replace(/\/+$/, ''))
        .nullable(),
      { example: 'https://photos.example.com', env: 'PUBLIC_URL' },
    ),
    trustProxy: setting(z.boolean(), { example: 'true' }),
    uploadBytes: setting(z.int().min(1_000).max(2_000_000_000), { example: '100000000' }),
    requestsPerMinutePerAddress: count('1200'),
    requestsPerMinutePerCustomer: count('1200'),
    uploadsPerMinutePerCustomer: count('120'),
    newCustomersPerHourPerAddress: count('60'),
    liveConnections: count('1000'),
    liveConnectionsPerCustomer: count('12'),
  }),
};
