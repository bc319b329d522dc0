import type { ChatRef, CustomerEvent } from '../studio/jobs.js';
import type { Clock } from '../studio/ports/basics.js';
import type { Studio } from '../studio/ports/studio.js';

/** Edits count as messages: no more than one in this time. */
const intervalMs = 2_500;
/** Whoever sent nothing for so long is no longer followed. */
const forgetMs = 600_000;

/** Live progress for those who wait. */
export interface ProgressFollower {
  /** Show the progress of this customer's photos in this chat. */
  follow(customerId: string, chat: ChatRef): void;
  stop(): void;
}

/**
 * Turns live progress into now and then an edit of the status message. Nothing depends on it: the
 * result itself is told by the studio's own, durable news.
 */
export function createProgressFollower(
  deps: { studio: Pick<Studio, 'watch'>; clock: Clock },
  show: (customerId: string, chat: ChatRef, event: CustomerEvent) => Promise<void>,
): ProgressFollower {
  const followed = new Map<string, { stop: () => void; timer: NodeJS.Timeout }>();
  const shownMs = new Map<string, number>();

  function end(customerId: string): void {
    const known = followed.get(customerId);
    if (!known) return;
    known.stop();
    clearTimeout(known.timer);
    followed.delete(customerId);
  }

  return {
    follow(customerId, chat) {
      end(customerId);
      const stop = deps.studio.watch(customerId, ({ kind, photoId, progress }) => {
        if (kind !== 'progress' || !photoId || progress === undefined || progress >= 1) return;
        const now = deps.clock.now();
        if (now - (shownMs.get(customerId) ?? now - intervalMs) < intervalMs) return;
        shownMs.set(customerId, now);
        void show(customerId, chat, { kind: 'photo.progress', photoId, share: progress });
      });
      const timer = setTimeout(() => {
        end(customerId);
        shownMs.delete(customerId);
      }, forgetMs);
      timer.unref();
      followed.set(customerId, { stop, timer });
    },
    stop() {
      for (const customerId of [...followed.keys()]) end(customerId);
      shownMs.clear();
    },
  };
}
