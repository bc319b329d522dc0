import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * The chunks of a stream; it is destroyed when nobody gives or takes one for `stallMs`.
 * @throws what the stream fails with; after a stall an Error that says so.
 */
export async function* flowing(body: Readable, stallMs: number): AsyncGenerator<Buffer> {
  const stall = () => body.destroy(new Error(`no data for ${Math.ceil(stallMs / 1000)} s`));
  const timer = setTimeout(stall, stallMs);
  try {
    for await (const chunk of body) {
      timer.refresh();
      yield chunk as Buffer;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Length and hashes of what flowed by. */
export interface Digest {
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly md5: Buffer;
}

/** Digests of a file or of a part of it. @param end exclusive. */
export async function digestOf(file: string, start = 0, end?: number): Promise<Digest> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let bytes = 0;
  if (end === undefined || end > start) {
    const last = end === undefined ? undefined : end - 1;
    for await (const chunk of createReadStream(file, {
      start,
      end: last,
      highWaterMark: 1 << 20,
    })) {
      sha256.update(chunk);
      md5.update(chunk);
      bytes += (chunk as Buffer).length;
    }
  }
  return { bytes, sha256: sha256.digest(), md5: md5.digest() };
}
