import type { LiveEvent } from './ports/studio.js';

/** Tells watchers in this process what changed, after the commit. */
export interface Live {
  emit(event: LiveEvent): void;
  watch(customerId: string, listener: (event: LiveEvent) => void): () => void;
  /** Progress of a photo's running restore, 0..1. */
  progress(photoId: string): number | undefined;
}

/** Photos whose progress is remembered; the oldest are forgotten first. */
const progressMax = 10_000;

/** Tells watchers in this process what happens, and remembers how far photos are. */
export function createLive(): Live {
  const listeners = new Map<string, Set<(event: LiveEvent) => void>>();
  const shares = new Map<string, number>();

  function remember({ photoId, kind, progress }: LiveEvent): void {
    if (!photoId) return;
    shares.delete(photoId);
    if (kind !== 'progress' || progress === undefined) return;
    shares.set(photoId, progress);
    if (shares.size > progressMax) shares.delete(shares.keys().next().value as string);
  }

  return {
    emit: (event) => {
      remember(event);
      for (const listener of listeners.get(event.customerId) ?? []) listener(event);
    },
    watch: (customerId, listener) => {
      const set = listeners.get(customerId) ?? new Set();
      listeners.set(customerId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(customerId) === set) listeners.delete(customerId);
      };
    },
    progress: (photoId) => shares.get(photoId),
  };
}
