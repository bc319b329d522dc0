import type { Logger } from '../studio/ports/basics.js';
import { exitCodes } from './exit-codes.js';
import { createLogger } from './logger.js';
import { isBrokenConnection, serverFaultOf } from './server-faults.js';
import type { Shell } from './shell.js';

/** Logs go to standard error; standard output has the address. */
export function openLogger({ config, output }: Pick<Shell, 'config' | 'output'>): Logger {
  return createLogger({
    level: config.log.level ?? undefined,
    terminal: output.terminal,
    destination: process.stderr,
  });
}

/**
 * A bug of ours ends the process, named in the log; the next start goes on. What a server did is no bug
 * of ours, wherever a driver lets go of it.
 * @param forgiven says of an error that it is not ours, and logs it.
 */
export function dieLoudly(logger: Logger, forgiven: (error: unknown) => boolean = () => false) {
  const die = (error: unknown) => {
    if (forgiven(error)) return;
    const fault = serverFaultOf(error);
    if (fault || isBrokenConnection(error)) {
      logger.warn('server.fault', { server: fault?.server, message: fault?.messageKey, error });
      return;
    }
    const stack = error instanceof Error ? error.stack : undefined;
    logger.error('process.bug', { error, stack });
    process.exit(exitCodes.environment);
  };
  process.on('unhandledRejection', die);
  process.on('uncaughtException', die);
}

/** Resolves when the signal comes; keeps the process alive until then. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  clearInterval(alive);
}
