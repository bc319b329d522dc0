import type { Readable } from 'node:stream';

/** What is known of a file before it goes out. */
export interface FileFacts {
  readonly file: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/**
 * A place for blobs that is reached over a network, one call at a time: `createRemoteBlobs` adds
 * patience, checks and a cache. Every method throws `RemoteFault` for what the world does.
 */
export interface RemoteStore {
  /** Where it is, for messages: no secrets. */
  readonly place: string;
  /** Undefined: not there. */
  head(key: string): Promise<{ bytes: number; modifiedMs: number } | undefined>;
  /** One try; what an earlier try brought over is used where the protocol allows. */
  upload(key: string, facts: FileFacts): Promise<void>;
  /** The blob from `startBytes` on, or from 0 where the server does not do parts. */
  read(key: string, startBytes: number): Promise<RemoteBody>;
  delete(key: string): Promise<void>;
  list(): AsyncIterable<{ key: string; bytes: number; modifiedMs: number }>;
}

/** A blob, or what is left of it, on its way. */
export interface RemoteBody {
  readonly body: Readable;
  readonly startBytes: number;
  /** Of the whole blob. */
  readonly totalBytes: number;
}

/**
 * - `missing`: there is no such blob.
 * - `broken`: try again soon: no connection, a cut, a stall, 5xx.
 * - `refused`: a wrong key, bucket or clock: no use in trying again at once.
 * - `damaged`: the server found other bytes than announced.
 */
export type RemoteFaultKind = 'missing' | 'broken' | 'refused' | 'damaged';

/** Something went wrong between us and the store. */
export class RemoteFault extends Error {
  /** This try brought something over that the next one need not bring again. */
  readonly progressed: boolean;

  constructor(
    readonly kind: RemoteFaultKind,
    reason: string,
    { cause, progressed = false }: { cause?: unknown; progressed?: boolean } = {},
  ) {
    super(reason, { cause });
    this.progressed = progressed;
  }
}

/** One line of a network error, whatever library it comes from. */
export function reasonOf(error: unknown): string {
  const { code, name, message, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (cause instanceof Error && (cause as NodeJS.ErrnoException).code) return reasonOf(cause);
  return [code ?? name, message].filter(Boolean).join(': ').slice(0, 300) || String(error);
}
