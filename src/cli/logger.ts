import { type DestinationStream, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Logger } from '../studio/ports/basics.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields that never reach a log, wherever they stand. */
const secret = [
  ...['token', 'password', 'secret', 'authorization', 'cookie', 'signature', 'privateKey'],
  ...['chatId', 'userId', 'openid', 'payToken', 'qr', 'headers', 'body', 'payload', 'url'],
];

export interface LoggerOptions {
  /** Default: info for machines, warn on a terminal: people want the address, not the traffic. */
  readonly level?: LogLevel;
  /** Lines for eyes instead of JSON. */
  readonly terminal: boolean;
  readonly destination: NodeJS.WritableStream;
}

/**
 * pino behind the studio's port: one JSON line per event, `event` first, errors as code and text.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { terminal, destination } = options;
  const target: DestinationStream = terminal
    ? pretty({ destination, colorize: true, ignore: 'pid,hostname', messageKey: 'event' })
    : destination;
  const log = pino(
    {
      level: options.level ?? (terminal ? 'warn' : 'info'),
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secret.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[removed]',
      },
      serializers: { error: plainError, cause: plainError, err: plainBug },
    },
    target,
  );
  const at = (level: LogLevel) => (event: string, fields?: Record<string, unknown>) =>
    log[level](fields ?? {}, event);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Passwords stand in addresses, and addresses in the messages of drivers. */
function plainError(error: unknown): unknown {
  const text =
    error instanceof Error
      ? `${(error as { code?: string }).code ?? error.name}: ${error.message}`
      : error;
  return typeof text === 'string' ? cleaned(text) : text;
}

/** With its stack, to be mended by; without what drivers hang on it: rows, requests, parameters. */
function plainBug(error: unknown): unknown {
  if (!(error instanceof Error)) return plainError(error);
  return { error: plainError(error), stack: cleaned(error.stack ?? '') };
}

const cleaned = (text: string) => text.replace(/\/\/[^/\s@]+@/g, '//[removed]@');
