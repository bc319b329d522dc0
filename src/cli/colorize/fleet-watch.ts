import { BlobsAway, Cancelled, QueueAway, type StudioError } from '../../studio/errors/index.js';
import type { Fleet, SeenBox } from '../../studio/ports/fleet.js';
import type { Shell } from '../shell.js';

/** What a run over a fleet says while it must wait. */
export interface FleetWatch {
  /** Try until Redis and blobs are there; said once an absence. @throws {Cancelled} and what else it throws */
  patiently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws {Cancelled} */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** A photo waits for an answer. @returns it does not any more. */
  waits(): () => void;
  /** Boxes are there, and each has said of itself that it could not get this model. */
  nobodyHas(model: string): boolean;
  close(): void;
}

const tryAgainMs = 2_000;
const lookEveryMs = 5_000;
/** So many looks running must find nobody. */
const looksBelieved = 2;

/** @param fleet asked now and then whether anybody is there, while photos wait. */
export function createFleetWatch(
  fleet: Pick<Fleet, 'list'>,
  { output, t }: Pick<Shell, 'output' | 't'>,
): FleetWatch {
  let waiting = 0;
  let lonely = false;
  let cutOff = false;
  let boxes: readonly SeenBox[] = [];
  let looksForNothing = 0;
  /** What was told to be away, and how often any of it came back. */
  const told = new Set<string>();
  let returns = 0;

  const timer = setInterval(() => {
    if (waiting > 0) void look();
  }, lookEveryMs);
  timer.unref();

  async function look(): Promise<void> {
    const seen = await fleet.list().catch(() => undefined);
    if (!seen) return;
    boxes = seen;
    looksForNothing = boxes.length === 0 ? looksForNothing + 1 : 0;
    // A Redis that has just been emptied hears of its boxes within some seconds.
    const nobody = looksForNothing >= looksBelieved;
    if (nobody && !lonely) output.notice(t('fleet.nobodyLeft', { count: waiting }));
    lonely = nobody;
    // What is uploaded waits although nothing here is out of reach.
    const noneReaches = boxes.length > 0 && boxes.every(({ state }) => state === 'away');
    if (noneReaches && !cutOff && told.size === 0) output.notice(t('fleet.boxesAway'));
    cutOff = noneReaches;
  }

  return {
    patiently: async (work, signal) => {
      const met = new Set<string>();
      const gotThrough = () => {
        for (const key of met) if (told.delete(key)) returns += 1;
      };
      for (;;) {
        if (signal?.aborted) throw new Cancelled();
        const before = returns;
        try {
          const answer = await work();
          gotThrough();
          return answer;
        } catch (error) {
          const key = awayKey(error);
          if (!key) {
            gotThrough();
            throw error;
          }
          met.add(key);
          // Where others have got through since this try began, it tells of an absence that is over.
          if (!told.has(key) && returns === before) {
            told.add(key);
            output.notice(t(key, (error as StudioError).params));
          }
          await pause(tryAgainMs, signal);
        }
      }
    },
    nobodyHas: (model) =>
      boxes.length > 0 && boxes.every(({ without = [] }) => without.includes(model)),
    pause,
    waits: () => {
      waiting += 1;
      return () => {
        waiting -= 1;
      };
    },
    close: () => clearInterval(timer),
  };
}

/** Text for what can only be waited for. */
function awayKey(error: unknown): string | undefined {
  if (error instanceof QueueAway) return 'fleet.queueGone';
  return error instanceof BlobsAway ? error.messageKey : undefined;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(new Cancelled());
      else resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
