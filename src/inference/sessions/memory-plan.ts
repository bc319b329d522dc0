import { limits } from '../../studio/limits.js';

/** What to try: how many sizes down, and whether only the CPU is left. */
export interface Attempt {
  readonly stepsDown: 0 | 1 | 2;
  readonly cpuOnly: boolean;
}

/** As asked: full size, on the card if there is one. */
export const FIRST_ATTEMPT: Attempt = { stepsDown: 0, cpuOnly: false };

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * After out of memory: on a card one size down, then the full size on the CPU; on the CPU up to two
 * sizes down. A graph of fixed size has only the CPU.
 * @returns undefined when nothing is left to try.
 */
export function nextAttempt(
  attempt: Attempt,
  provider: string,
  size: Size,
  fixed: boolean,
): Attempt | undefined {
  const down = (attempt.stepsDown + 1) as 1 | 2;
  const canShrink =
    !fixed &&
    attempt.stepsDown < 2 &&
    isSmaller(sizeOf(size, down), sizeOf(size, attempt.stepsDown));
  if (provider === 'cpu')
    return canShrink ? { stepsDown: down, cpuOnly: attempt.cpuOnly } : undefined;
  if (canShrink && attempt.stepsDown === 0) return { stepsDown: 1, cpuOnly: false };
  return { stepsDown: 0, cpuOnly: true };
}

/** Size after so many steps of three quarters, multiples of 32, not under the smallest input. */
export function sizeOf(size: Size, stepsDown: number): Size {
  let { widthPx, heightPx } = size;
  for (let i = 0; i < stepsDown; i += 1) {
    widthPx = oneDown(widthPx);
    heightPx = oneDown(heightPx);
  }
  return { widthPx, heightPx };
}

function oneDown(px: number): number {
  const { stridePx, minSizePx } = limits.model;
  return Math.max(Math.min(px, minSizePx), Math.floor((px * 0.75) / stridePx) * stridePx);
}

function isSmaller(a: Size, b: Size): boolean {
  return a.widthPx * a.heightPx < b.widthPx * b.heightPx;
}

/**
 * Remembers where memory ran out, so that the next photo does not kill the process again. Forgets
 * after a while: another program may have held the memory.
 */
export function createMemoryCaution(holdMs: number, nowMs: () => number) {
  const known = new Map<string, { pixels: number; attempt: Attempt; until: number }>();
  return {
    startAt(model: string, pixels: number): Attempt {
      const entry = known.get(model);
      if (!entry || pixels < entry.pixels) return FIRST_ATTEMPT;
      if (nowMs() < entry.until) return entry.attempt;
      known.delete(model);
      return FIRST_ATTEMPT;
    },
    remember(model: string, pixels: number, attempt: Attempt): void {
      known.set(model, { pixels, attempt, until: nowMs() + holdMs });
    },
  };
}
