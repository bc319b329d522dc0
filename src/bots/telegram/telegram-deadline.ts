import { stat } from 'node:fs/promises';
import type { Telegram } from 'telegraf';

/** An answer to a small question takes no longer on any line, ms. */
const plainMs = 30_000;
/** A slow home line carries more than this, bytes per millisecond. */
const bytesPerMs = 20;

/**
 * One call that surely ends: telegraf's own patience is 500 s, during which a half-open connection
 * keeps everything waiting.
 * @param ms default: what this payload takes on a slow line.
 * @throws what telegraf throws; an error without a response when time is up or `signal` aborts.
 */
export async function callWithin<T>(
  telegram: Telegram,
  method: string,
  payload: object,
  { ms, signal }: { ms?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const limitMs = ms ?? (await deadlineMs(payload));
  const ending = new AbortController();
  const end = () => ending.abort();
  // Not left to the client alone: a call that does not notice its signal is abandoned.
  const ended = new Promise<never>((_, reject) => {
    ending.signal.addEventListener('abort', () => reject(new Error(`${method}: no answer`)));
  });
  const timer = setTimeout(end, limitMs);
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  try {
    const call = telegram.callApi(method as never, payload as never, {
      signal: ending.signal as never,
    });
    return (await Promise.race([call, ended])) as T;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

async function deadlineMs(payload: object): Promise<number> {
  return transferMs(await uploadBytes(payload));
}

/** How long so many bytes take at most, up or down a slow line; whole ms, as timers want them. */
export function transferMs(bytes: number): number {
  return plainMs + Math.ceil(bytes / bytesPerMs);
}

/** Bytes of the files in a payload, as telegraf's `Input` describes them. */
async function uploadBytes(value: unknown): Promise<number> {
  if (typeof value !== 'object' || value === null) return 0;
  const { source } = value as { source?: unknown };
  if (Buffer.isBuffer(source)) return source.length;
  if (typeof source === 'string')
    return stat(source).then(
      ({ size }) => size,
      () => 0,
    );
  const sizes = await Promise.all(Object.values(value).map(uploadBytes));
  return sizes.reduce((sum, size) => sum + size, 0);
}
