import { exitCodes } from './exit-codes.js';

/**
 * Ctrl-C and SIGTERM. The first asks running work to stop: it removes its half-written files. The
 * second ends the process at once.
 * @param onFirst tell the user what is happening.
 * @param onSecond synchronous: the last thing done.
 */
export function listenForInterrupt(
  onFirst: () => void,
  onSecond: () => void = () => {},
): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) {
      onSecond();
      process.exit(exitCodes.interrupted);
    }
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
