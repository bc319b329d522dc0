import { Cancelled } from '../studio/errors/index.js';
import { exitCodes } from './exit-codes.js';

/** Ctrl-C and SIGTERM while a command runs. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /**
   * Wait for work, but not beyond an interruption: what a stalled drive holds up cannot be waited for.
   * @param graceMs time that the work still gets, to put away what it has begun.
   * @throws {Cancelled} and what the work throws
   */
  wait<T>(work: Promise<T>, graceMs?: number): Promise<T>;
  close(): void;
}

/** How long interrupted work may take to clean up before it is left to itself. */
export const CLEAN_UP_MS = 5000;
/** The second Ctrl-C waits this long for the file system, then for nobody. */
const FILES_MS = 2000;
const LOOK_AGAIN_MS = 50;

/**
 * The first asks running work to stop: it removes its half-written files. The second ends the
 * process at once.
 * @param onFirst tell the user what is happening.
 * @param onSecond synchronous: the last thing done.
 */
export function listenForInterrupt(
  onFirst: () => void,
  onSecond: () => void = () => {},
): Interrupt {
  const controller = new AbortController();
  const { signal } = controller;
  const handle = () => {
    if (signal.aborted) {
      void endNow(onSecond);
      return;
    }
    controller.abort();
    onFirst();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal,
    wait: (work, graceMs = 0) => waitUnlessStopped(work, signal, graceMs),
    close: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}

async function waitUnlessStopped<T>(
  work: Promise<T>,
  signal: AbortSignal,
  graceMs: number,
): Promise<T> {
  // Nobody looks at what comes of it once it has been left.
  work.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(new Cancelled()), graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * End the process. Node's own exit waits for calls of the file system that are under way, and one to
 * a stalled drive never ends; a signal asks nobody.
 */
async function endNow(lastThing: () => void): Promise<never> {
  lastThing();
  for (let waitedMs = 0; waitedMs < FILES_MS && isReading(); waitedMs += LOOK_AGAIN_MS)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  lastThing();
  if (isReading()) dieBySignal();
  // A decoder may be held up as well, and does not show: the next Ctrl-C is the system's.
  process.removeAllListeners('SIGINT');
  process.exit(exitCodes.interrupted);
}

const isReading = () => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));

/**
 * After an interrupted command: whatever is still under way (a read that a stalled drive never
 * answers) must not keep the process. A process that has nothing left ends before.
 */
export function endUnlessIdle(): void {
  setTimeout(() => {
    if (isReading()) dieBySignal();
    // A server that is away holds up nobody: only files do.
    process.removeAllListeners('SIGINT');
    process.exit(exitCodes.interrupted);
  }, FILES_MS).unref();
}

/** As if nobody had listened: shells call it 130. */
function dieBySignal(): void {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}
