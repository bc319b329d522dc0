import type { Language } from '../studio/ports/basics.js';
import type { Config, Environment } from './config.js';
import type { Translate } from './messages.js';

/** What a command knows about the terminal and the machine it was started on. */
export interface Shell {
  readonly env: Environment;
  readonly cwd: string;
  readonly config: Config;
  readonly language: Language;
  readonly t: Translate;
  readonly output: Output;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Where a command speaks: lines for people, or one JSON object per line for machines. */
export interface Output {
  readonly json: boolean;
  /** Standard error is a terminal: progress may be drawn. */
  readonly terminal: boolean;
  /** For people, standard output; nothing with --json. */
  line(text: string): void;
  /** For people, standard error: progress, notices. Nothing with --json. */
  notice(text: string): void;
  /** For machines: nothing without --json. */
  record(value: Readonly<Record<string, unknown>>): void;
}

/** @param streams process.stdout and process.stderr, or a test's own. */
export function createOutput(
  json: boolean,
  streams: { out: NodeJS.WritableStream; err: NodeJS.WritableStream & { isTTY?: boolean } },
): Output {
  const terminal = !json && streams.err.isTTY === true;
  // Progress may be drawn on this line: it goes, and is drawn again below.
  const cleared = terminal ? '\r\x1b[2K' : '';
  return {
    json,
    terminal,
    line: (text) => void (json || streams.out.write(`${text}\n`)),
    notice: (text) => void (json || streams.err.write(`${cleared}${text}\n`)),
    record: (value) => void (json && streams.out.write(`${JSON.stringify(value)}\n`)),
  };
}
