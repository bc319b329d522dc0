import type { AddressInfo } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isNear } from './trusted-proxies.js';

/** Names without a dot (a number would be an address), and those that only a network within gives. */
const localName =
  /^(?:[a-z][a-z0-9_-]*|[a-z0-9_.-]+\.(?:localhost|local|lan|internal|home\.arpa))$/;

/**
 * Where the outside reaches us, without a trailing slash: every address that leaves the shop (pay
 * pages, files, notifications) begins with it. Without `publicUrl` it is what the request names, if
 * that is a local name or an address of this machine or network; anybody can write another name into
 * a request, and what they wrote must not end in a customer's link: then it is the socket's own.
 */
export function outsideAddress(
  { publicUrl }: { readonly publicUrl?: string },
  request: Pick<FastifyRequest, 'protocol' | 'host' | 'socket'>,
): string {
  if (publicUrl) return publicUrl;
  if (isOurs(request.host)) return `${request.protocol}://${request.host.toLowerCase()}`;
  const { localAddress = '127.0.0.1', localPort = 80 } = request.socket;
  return socketAddress({ address: localAddress, port: localPort });
}

/** An address that a browser can open, also when we listen on all of them. */
export function socketAddress({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string {
  const any = address === '0.0.0.0' || address === '::';
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  const host = any ? 'localhost' : plain.includes(':') ? `[${plain}]` : plain;
  return `http://${host}:${port}`;
}

function isOurs(host: string): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  return localName.test(name) || isNear(name.replace(/^\[|\]$/g, ''));
}
