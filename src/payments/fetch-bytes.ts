import { GatewayUnknown } from '../studio/errors/index.js';

/** A day's bill; more is not a bill. */
const maxBytes = 64_000_000;

/**
 * GET a file whose address a provider gave.
 * @throws {GatewayUnknown} on any status but 200, a time-out or too many bytes.
 */
export async function fetchBytes(
  gateway: string,
  url: string,
  options: { timeoutMs: number; headers?: Record<string, string> },
): Promise<Buffer> {
  try {
    const response = await fetch(url, {
      headers: options.headers ?? {},
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs * 6),
    });
    if (response.status !== 200 || !response.body)
      throw new GatewayUnknown(gateway, `download: HTTP ${response.status}`);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body) {
      bytes += part.length;
      if (bytes > maxBytes) throw new GatewayUnknown(gateway, 'download: too large');
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof GatewayUnknown) throw error;
    throw new GatewayUnknown(gateway, 'download: no answer');
  }
}
