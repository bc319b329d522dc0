import { isIP } from 'node:net';
import { z } from 'zod';
import { setting } from './setting.js';

const count = (example: string) => setting(z.int().min(0), { example });

/** `10.0.0.7`, `10.0.0.0/8`, or what Express and Fastify call by name. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...more] = text.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  const whole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  return isIP(address) !== 0 && whole && more.length === 0;
}

/**
 * Proxies before us, nearest last: how many, or their addresses. Each adds the address it was
 * called from to the end of X-Forwarded-For; what stands before those is the visitor's own word.
 * `true`, as earlier versions had it, is one.
 */
const trustedProxies = z.union([
  z.boolean().transform((yes) => (yes ? 1 : (false as const))),
  z.int().min(1).max(8),
  z.array(z.string().refine(isNetwork, 'no address and no network')).min(1),
]);

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
    trustProxy: setting(trustedProxies, { example: '1' }),
    uploadBytes: setting(z.int().min(1_000).max(2_000_000_000), { example: '100000000' }),
    requestsPerMinutePerAddress: count('1200'),
    requestsPerMinutePerCustomer: count('1200'),
    uploadsPerMinutePerCustomer: count('120'),
    newCustomersPerHourPerAddress: count('60'),
    liveConnections: count('1000'),
    liveConnectionsPerCustomer: count('12'),
  }),
};
