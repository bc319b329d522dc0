import type { BoxSpec } from './boxes.js';

/** Work of a photo of that size, in photos at 512 px. */
export const costOf = (sizePx: number) => Math.max(1, (sizePx / 512) ** 2);

/**
 * The shortest time in which such boxes can do such photos, s: no split of the work can beat it.
 * Whoever takes a size takes all smaller ones, so it is enough to look, for each size, at the
 * photos from there up and the boxes that can do them.
 */
export function idealSeconds(
  boxes: readonly Pick<BoxSpec, 'seconds' | 'memoryPx'>[],
  sizesPx: readonly number[],
): number {
  const bounds = [...new Set(sizesPx)].map((px) => {
    const work = sizesPx.filter((size) => size >= px).reduce((sum, size) => sum + costOf(size), 0);
    const rate = boxes
      .filter(({ memoryPx }) => memoryPx >= px)
      .reduce((sum, { seconds }) => sum + 1 / seconds, 0);
    return work / rate;
  });
  return Math.max(...bounds);
}
