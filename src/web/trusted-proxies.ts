import { BlockList, isIP } from 'node:net';
import type { FastifyServerOptions } from 'fastify';

/** Networks in which the nearest proxy may stand when only the number of proxies is known. */
const near = new BlockList();
near.addSubnet('127.0.0.0', 8);
near.addSubnet('10.0.0.0', 8);
near.addSubnet('172.16.0.0', 12);
near.addSubnet('192.168.0.0', 16);
near.addSubnet('169.254.0.0', 16);
near.addAddress('::1', 'ipv6');
near.addSubnet('fc00::', 7, 'ipv6');
near.addSubnet('fe80::', 10, 'ipv6');

/**
 * Whose X-Forwarded-* count. With a number the entries that so many proxies added are believed, if
 * the nearest of them stands on this machine or network: who calls from elsewhere is no proxy of ours
 * and could write any address.
 */
export function proxyTrust(
  trustProxy: false | number | readonly string[],
): FastifyServerOptions['trustProxy'] {
  if (typeof trustProxy !== 'number') return trustProxy ? [...trustProxy] : false;
  return (address, hop) => hop < trustProxy && (hop > 0 || isNear(address));
}

/** Whether an address is of this machine or of a private network. */
export function isNear(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  const family = isIP(plain);
  return family !== 0 && near.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}
