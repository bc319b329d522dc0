import { exitCodes } from './exit-codes.js';

/**
 * Ctrl-C and SIGTERM. The first asks running work to stop: it removes its half-written files. The
 * second ends the process at once; results appear under their names only when whole, so even then
 * none is half-written.
 * @param onFirst tell the user what is happening.
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    onFirst();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    close: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
