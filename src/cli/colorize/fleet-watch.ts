import { BlobsAway, Cancelled, QueueAway } from '../../studio/errors/index.js';
import type { Fleet } from '../../studio/ports/fleet.js';
import type { Shell } from '../shell.js';

/** What a run over a fleet says while it must wait. */
export interface FleetWatch {
  /** Try until Redis and blobs are there; said once. @throws {Cancelled} and what else it throws */
  patiently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws {Cancelled} */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** A photo waits for an answer. @returns it does not any more. */
  waits(): () => void;
  close(): void;
}

const tryAgainMs = 2_000;
const lookEveryMs = 5_000;

/** @param fleet asked now and then whether anybody is there, while photos wait. */
export function createFleetWatch(
  fleet: Pick<Fleet, 'list'>,
  { output, t }: Pick<Shell, 'output' | 't'>,
): FleetWatch {
  let waiting = 0;
  let lonely = false;
  const away = new Set<string>();

  const timer = setInterval(() => {
    if (waiting > 0) void look();
  }, lookEveryMs);
  timer.unref();

  async function look(): Promise<void> {
    const boxes = await fleet.list().catch(() => undefined);
    if (!boxes) return;
    const nobody = boxes.length === 0;
    if (nobody && !lonely) output.notice(t('fleet.nobodyLeft', { count: waiting }));
    lonely = nobody;
  }

  return {
    patiently: async (work, signal) => {
      for (;;) {
        if (signal?.aborted) throw new Cancelled();
        try {
          const answer = await work();
          away.clear();
          return answer;
        } catch (error) {
          if (!(error instanceof QueueAway || error instanceof BlobsAway)) throw error;
          const key = error instanceof QueueAway ? 'fleet.queueGone' : error.messageKey;
          if (!away.has(key)) output.notice(t(key, error.params));
          away.add(key);
          await pause(tryAgainMs, signal);
        }
      }
    },
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
