import { type FileHandle, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { onDisk, writeWhole } from './disk.js';
import {
  createStallGuard,
  type Fetch,
  get,
  type HttpRules,
  orBroken,
  SourceUnusable,
  TransferBroken,
} from './http.js';

/** One address of a file. */
export interface DownloadSource {
  readonly url: string;
  /** Length the file must have, where it is known. */
  readonly bytes?: number;
  /** The content is checked against a hash afterwards: parts of different sources may be joined. */
  readonly hashKnown: boolean;
}

/** Limits of a download, and how it is followed. */
export interface DownloadOptions extends HttpRules {
  readonly maxBytes: number;
  /** Called before the first byte is written. @throws {DiskUnavailable} */
  readonly checkSpace: (bytes: number) => Promise<void>;
  readonly onProgress?: (doneBytes: number, totalBytes: number | undefined) => void;
}

/** What the part on disk belongs to; beside it as `<part>.json`. */
interface PartState {
  readonly url: string;
  /** Strong ETag or Last-Modified: the server sends the rest only if the file is still the same. */
  readonly validator?: string;
}

/**
 * One attempt to fetch a file into `part`, going on where an earlier one stopped.
 * @returns length of the complete file, bytes.
 * @throws {SourceUnusable | TransferBroken | Cancelled | DiskUnavailable}
 */
export async function downloadOnce(
  fetch: Fetch,
  source: DownloadSource,
  part: string,
  options: DownloadOptions,
): Promise<number> {
  const guard = createStallGuard(options);
  try {
    const held = await heldBytes(source, part);
    if (source.bytes !== undefined && held === source.bytes) return held;
    const response = await get(
      fetch,
      source.url,
      await headersFor(source, part, held),
      options,
      guard,
    );
    const { start, total } = await place(response, source, held, part);
    if (start === total) return start;
    checkTotal(total, source, options.maxBytes);
    if (total !== undefined) await options.checkSpace(total - start);
    await writeWhole(`${part}.json`, JSON.stringify({ url: source.url, ...validatorOf(response) }));
    const end = await receive(response, part, start, { total, guard, options });
    const expected = total ?? source.bytes;
    if (expected !== undefined && end < expected)
      throw new TransferBroken(`cut after ${end} of ${expected} bytes`);
    return end;
  } finally {
    guard.close();
  }
}

/** Forget a part whose bytes turned out wrong. */
export async function discardPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

/** Bytes on disk that this source may continue. */
async function heldBytes(source: DownloadSource, part: string): Promise<number> {
  const size = await stat(part).then(
    (found) => found.size,
    () => 0,
  );
  const state = await readState(part);
  const sameFile = source.hashKnown || (state?.url === source.url && state.validator);
  if (sameFile && (source.bytes === undefined || size <= source.bytes)) return size;
  await discardPart(part);
  return 0;
}

async function headersFor(source: DownloadSource, part: string, held: number) {
  // Compressed transfer would make lengths and ranges meaningless.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (held === 0) return headers;
  headers['range'] = `bytes=${held}-`;
  const state = await readState(part);
  if (state?.url === source.url && state.validator) headers['if-range'] = state.validator;
  return headers;
}

/** Where the body starts and how long the whole file is. */
async function place(
  response: Response,
  source: DownloadSource,
  held: number,
  part: string,
): Promise<{ start: number; total: number | undefined }> {
  const length = response.headers.get('content-length');
  const type = response.headers.get('content-type') ?? '';
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(
    response.headers.get('content-range') ?? '',
  );
  if (response.status === 416) {
    await response.body?.cancel();
    if (range?.[2] === String(held)) return { start: held, total: held };
    await discardPart(part);
    throw new TransferBroken('the part here did not fit; starting again');
  }
  if (response.status !== 200 && response.status !== 206) {
    await response.body?.cancel();
    const text = `HTTP ${response.status} ${response.statusText}`.trim();
    if (response.status >= 500 || response.status === 429 || response.status === 408)
      throw new TransferBroken(text);
    throw new SourceUnusable(text);
  }
  if (/^(text\/html|application\/xhtml)/i.test(type)) {
    await response.body?.cancel();
    throw new SourceUnusable('answered with a web page instead of the file');
  }
  if (response.status === 200)
    return { start: 0, total: length === null ? source.bytes : Number(length) };
  if (Number(range?.[1]) !== held) {
    await response.body?.cancel();
    await discardPart(part);
    throw new TransferBroken('sent another range than asked for; starting again');
  }
  return { start: held, total: range?.[2] === '*' ? source.bytes : Number(range?.[2]) };
}

function checkTotal(total: number | undefined, source: DownloadSource, maxBytes: number): void {
  if (total === undefined) return;
  if (source.bytes !== undefined && total !== source.bytes)
    throw new SourceUnusable(`offers ${total} bytes, the catalog says ${source.bytes}`);
  if (total > maxBytes) throw new SourceUnusable(`offers ${total} bytes, limit ${maxBytes}`);
}

interface Transfer {
  readonly total: number | undefined;
  readonly guard: ReturnType<typeof createStallGuard>;
  readonly options: DownloadOptions;
}

async function receive(
  response: Response,
  part: string,
  start: number,
  { total, guard, options }: Transfer,
): Promise<number> {
  const handle = await openAt(part, start);
  let at = start;
  try {
    const reader = response.body?.getReader();
    for (;;) {
      const read = await orBroken(guard, async () => reader?.read());
      if (!read || read.done) break;
      guard.touch();
      if (at + read.value.length > (total ?? options.maxBytes)) {
        await reader?.cancel();
        throw new SourceUnusable('sent more bytes than announced');
      }
      await onDisk(part, () => writeAll(handle, read.value, at));
      at += read.value.length;
      options.onProgress?.(at, total);
    }
    await onDisk(part, () => handle.sync());
    return at;
  } finally {
    await handle.close();
  }
}

async function openAt(part: string, start: number): Promise<FileHandle> {
  return onDisk(part, async () => {
    const handle = await open(part, start === 0 ? 'w' : 'r+');
    if (start > 0) await truncate(part, start);
    return handle;
  });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

function validatorOf(response: Response): { validator?: string } {
  const etag = response.headers.get('etag');
  if (etag && !etag.startsWith('W/')) return { validator: etag };
  const modified = response.headers.get('last-modified');
  return modified ? { validator: modified } : {};
}

async function readState(part: string): Promise<PartState | undefined> {
  try {
    return JSON.parse(await readFile(`${part}.json`, 'utf8')) as PartState;
  } catch {
    return undefined;
  }
}
