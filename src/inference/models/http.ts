import { Cancelled } from '../../studio/errors/index.js';

/** Node's own `fetch`, or one that goes through a proxy. */
export type Fetch = typeof globalThis.fetch;

/** This source cannot give the file: try the next one. */
export class SourceUnusable extends Error {}

/** The connection failed, stalled or was cut: the same source may go on. */
export class TransferBroken extends Error {}

/** What every request for a model obeys. */
export interface HttpRules {
  /** Plain http is refused unless the operator allows it (a mirror in the own network). */
  readonly allowHttp: boolean;
  /** No byte for this long ends the attempt, ms. */
  readonly stallTimeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The operator's own places, which the given `fetch` knows how to reach. No redirect leads there. */
const own = /^(s3|studio):\/\//;
const MAX_REDIRECTS = 5;

/** Calls `abort` when `touch` is not called for a while. */
export interface StallGuard {
  readonly signal: AbortSignal;
  touch(): void;
  close(): void;
}

/** Ends a request that brings no byte for `stallTimeoutMs`, or whose signal is raised. */
export function createStallGuard({ stallTimeoutMs, signal }: HttpRules): StallGuard {
  const controller = new AbortController();
  const cancel = () => controller.abort(new Cancelled());
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const stall = () =>
    controller.abort(new TransferBroken(`no data for ${Math.ceil(stallTimeoutMs / 1000)} s`));
  const timer = setTimeout(stall, stallTimeoutMs);
  return {
    signal: controller.signal,
    touch: () => void timer.refresh(),
    close: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}

/**
 * GET with redirects followed by hand, so that each hop obeys the rules.
 * @throws {SourceUnusable | TransferBroken | Cancelled}
 */
export async function get(
  fetch: Fetch,
  address: string,
  headers: Readonly<Record<string, string>>,
  rules: HttpRules,
  guard: StallGuard,
): Promise<Response> {
  let url = own.test(address) ? new URL(address) : checkedUrl(address, rules);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await orBroken(guard, () =>
      fetch(url, { headers, redirect: 'manual', signal: guard.signal }),
    );
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location) return response;
    await response.body?.cancel();
    url = checkedUrl(new URL(location, url).href, rules);
  }
  throw new SourceUnusable(`more than ${MAX_REDIRECTS} redirects`);
}

/** Network faults have a hundred names; what matters is whether we ended it ourselves. */
export async function orBroken<T>(guard: StallGuard, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (guard.signal.aborted) throw guard.signal.reason;
    if (error instanceof SourceUnusable || error instanceof TransferBroken) throw error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const { code, message } = cause as { code?: string; message?: string };
    throw new TransferBroken(code ?? message ?? String(cause), { cause: error });
  }
}

function checkedUrl(address: string, { allowHttp }: HttpRules): URL {
  const url = new URL(address);
  if (url.protocol === 'https:' || (allowHttp && url.protocol === 'http:')) return url;
  throw new SourceUnusable(`${url.protocol}// is not allowed, only https://`);
}
