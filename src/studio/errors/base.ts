/**
 * What the consumer of a failed step should do next.
 * - `never`: the same input fails the same way; tell the customer.
 * - `later`: the world is busy or away; try again with backoff.
 * - `smaller`: out of memory; try again one model size down.
 * - `unknown`: nobody knows whether it happened; ask before doing it again (payments).
 */
export type Retry = 'never' | 'later' | 'smaller' | 'unknown';

/** What a fault carries besides its words. */
export interface StudioErrorOptions {
  /** The vendor's or system's own error, kept for the log. */
  readonly cause?: unknown;
  /** Values for the placeholders of the localised message. Never secret, never personal. */
  readonly params?: Readonly<Record<string, string | number>>;
}

/**
 * A fault of the world (bad input, a dead server, a full disk), never a bug of ours: bugs are
 * `node:assert`. One subclass per cause, in `errors/<area>.ts`.
 */
export abstract class StudioError extends Error {
  readonly params: Readonly<Record<string, string | number>>;

  /**
   * @param code upper snake case, stable; logs and the API show it.
   * @param messageKey key into config/messages: what the customer reads.
   * @param retry what the consumer should do.
   * @param message English, for logs and operators.
   */
  constructor(
    readonly code: string,
    readonly messageKey: string,
    readonly retry: Retry,
    message: string,
    options: StudioErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.params = options.params ?? {};
  }
}

/** Stable code of a fault for logs and machines; `UNEXPECTED` for what is none of ours. */
export function codeOf(error: unknown): string {
  return error instanceof StudioError ? error.code : 'UNEXPECTED';
}

/**
 * What Node, a driver or a library calls a fault: `ENOENT`, `SQLITE_BUSY`, `40001`.
 * @returns undefined where it carries no such name.
 */
export function systemCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
