/** Lets work begin while the megapixels under way stay within a bound; first come, first served. */
export interface PixelGate {
  /** @param megapixels more than the bound: the work runs alone. */
  run<T>(megapixels: number, work: () => Promise<T>): Promise<T>;
}

/**
 * A large scan takes about a gigabyte while it is rendered, a snapshot next to nothing: what may run
 * side by side is a question of pixels, not of photos.
 */
export function createPixelGate(boundMegapixels: number): PixelGate {
  let busy = 0;
  const waiting: { weight: number; enter: () => void }[] = [];

  function admit(): void {
    for (let next = waiting[0]; next && busy + next.weight <= boundMegapixels; next = waiting[0]) {
      waiting.shift();
      busy += next.weight;
      next.enter();
    }
  }

  return {
    run: async (megapixels, work) => {
      const weight = Math.min(megapixels, boundMegapixels);
      await new Promise<void>((enter) => {
        waiting.push({ weight, enter });
        admit();
      });
      try {
        return await work();
      } finally {
        busy -= weight;
        admit();
      }
    },
  };
}
