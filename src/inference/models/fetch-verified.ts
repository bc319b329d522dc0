import { stat } from 'node:fs/promises';
import { Cancelled, ModelDownloadFailed, StudioError } from '../../studio/errors/index.js';
import { hashFile } from './disk.js';
import { type DownloadOptions, discardPart, downloadOnce } from './download.js';
import { type Fetch, SourceUnusable, TransferBroken } from './http.js';

/** One place to get a file from, with what is known of it. */
export interface VerifiedSource {
  readonly url: string;
  readonly bytes?: number;
  readonly sha256?: string;
  /** First digits, where no more is published. */
  readonly sha256Prefix?: string;
}

/** Limits of a download that may be tried again. */
export interface FetchOptions extends DownloadOptions {
  /** Pause before the second attempt, ms; doubles. */
  readonly retryDelayMs: number;
}

const ATTEMPTS_WITHOUT_PROGRESS = 3;

/**
 * Fetch a file from the first source that gives the right bytes; a broken transfer goes on where it
 * stopped, with the same source and then with the next.
 * @returns which source it was and the sha256 of what lies in `part` now.
 * @throws {ModelDownloadFailed} naming every source and why.
 */
export async function fetchVerified(
  fetch: Fetch,
  model: string,
  sources: readonly VerifiedSource[],
  part: string,
  options: FetchOptions,
): Promise<{ source: VerifiedSource; sha256: string }> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return { source, sha256: await fetchFrom(fetch, source, part, options) };
    } catch (error) {
      if (error instanceof StudioError) throw error;
      if (!(error instanceof SourceUnusable) && !(error instanceof TransferBroken)) throw error;
      reasons.push(`${withoutSecrets(source.url)}: ${error.message}`);
    }
  }
  throw new ModelDownloadFailed(model, reasons.length > 0 ? reasons : ['no source is known']);
}

async function fetchFrom(
  fetch: Fetch,
  source: VerifiedSource,
  part: string,
  options: FetchOptions,
): Promise<string> {
  // A part begun elsewhere may hold wrong bytes: then this source gets a second chance from zero.
  for (let chance = 1; ; chance += 1) {
    const joined = await completeFrom(fetch, source, part, options);
    const sha256 = await hashFile(part, options.signal);
    if (matches(sha256, source)) return sha256;
    await discardPart(part);
    if (!joined || chance === 2)
      throw new SourceUnusable(
        `wrong content: sha256 ${sha256.slice(0, 12)}…, expected ${(source.sha256 ?? source.sha256Prefix)?.slice(0, 12)}…`,
      );
  }
}

/** @returns whether it began with bytes of another source or an earlier run. */
async function completeFrom(
  fetch: Fetch,
  source: VerifiedSource,
  part: string,
  options: FetchOptions,
): Promise<boolean> {
  const wanted = { ...source, hashKnown: source.sha256 !== undefined };
  let fruitless = 0;
  const joined = await stat(part).then(
    (found) => found.size > 0,
    () => false,
  );
  for (let attempt = 0; ; attempt += 1) {
    let first: number | undefined;
    const onProgress = (doneBytes: number, totalBytes: number | undefined) => {
      first ??= doneBytes;
      options.onProgress?.(doneBytes, totalBytes);
    };
    try {
      await downloadOnce(fetch, wanted, part, { ...options, onProgress });
      return joined;
    } catch (error) {
      if (!(error instanceof TransferBroken)) throw error;
      fruitless = first === undefined ? fruitless + 1 : 0;
      if (fruitless >= ATTEMPTS_WITHOUT_PROGRESS || attempt >= 50) throw error;
      await pause(options.retryDelayMs * 2 ** Math.min(fruitless, 5), options.signal);
    }
  }
}

function matches(sha256: string, source: VerifiedSource): boolean {
  if (source.sha256 !== undefined) return sha256 === source.sha256;
  return source.sha256Prefix === undefined || sha256.startsWith(source.sha256Prefix);
}

/** Signed addresses carry keys in user info and query. */
function withoutSecrets(address: string): string {
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) throw new Cancelled();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
  if (signal?.aborted) throw new Cancelled();
}
