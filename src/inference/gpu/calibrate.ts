import { StudioError } from '../../studio/errors/index.js';
import type { Prediction } from '../../studio/ports/colorizer.js';

/** Sizes that are tried, px, smallest first. */
const CALIBRATION_SIZES_PX = [256, 384, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048] as const;

/** One size tried on a card, square, px. */
export interface CalibrationStep {
  readonly sizePx: number;
  readonly fits: boolean;
  readonly seconds?: number;
}

/** What a card was found to take of one model. */
export interface Calibrated {
  readonly provider: string;
  /** Largest size that ran; absent: not even the smallest did. */
  readonly sizePx?: number;
  readonly tooLargePx?: number;
  readonly seconds: readonly { readonly sizePx: number; readonly seconds: number }[];
}

/** Two runs: the second finds out what the first left in the card's memory. */
const RUNS = 2;

/**
 * Find the largest input of a model that a card takes: one size after the other, until one is
 * answered smaller, on another device, or not at all.
 * @param predict one inference at a size, unbounded by what was measured before.
 * @param config.largestPx none larger is tried.
 * @throws what predict throws, unless it says that memory ran out.
 */
export async function calibrate(
  predict: (sizePx: number) => Promise<Prediction>,
  config: {
    readonly largestPx: number;
    readonly onStep?: (step: CalibrationStep) => void;
  },
): Promise<Calibrated> {
  const seconds: { sizePx: number; seconds: number }[] = [];
  let provider: string | undefined;
  for (const sizePx of CALIBRATION_SIZES_PX.filter((size) => size <= config.largestPx)) {
    const runs: Prediction[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const prediction = await unlessTooLarge(() => predict(sizePx));
      if (!prediction || !fits(prediction, sizePx, provider)) {
        config.onStep?.({ sizePx, fits: false });
        const largest = seconds.at(-1);
        return {
          ...{ provider: provider ?? prediction?.provider ?? '?', seconds, tooLargePx: sizePx },
          ...(largest ? { sizePx: largest.sizePx } : {}),
        };
      }
      provider = prediction.provider;
      runs.push(prediction);
    }
    const fastest = Math.min(...runs.map((run) => run.seconds));
    const ran = runs[0]!.inputWidthPx;
    seconds.push({ sizePx: ran, seconds: fastest });
    config.onStep?.({ sizePx: ran, fits: true, seconds: fastest });
    // A graph of one size answers every question with it.
    if (ran !== sizePx) break;
  }
  const largest = seconds.at(-1);
  return { provider: provider ?? '?', seconds, ...(largest ? { sizePx: largest.sizePx } : {}) };
}

/** Answered at this size, on the device that answered the smaller ones. */
function fits(prediction: Prediction, sizePx: number, provider: string | undefined): boolean {
  const keys = new Set(prediction.notes.map((note) => note.key));
  if (keys.has('inference.sizeSteppedDown') || keys.has('inference.movedToCpu')) return false;
  if (provider !== undefined && prediction.provider !== provider) return false;
  return prediction.inputWidthPx === sizePx || keys.has('inference.sizeFixed');
}

async function unlessTooLarge(predict: () => Promise<Prediction>): Promise<Prediction | undefined> {
  try {
    return await predict();
  } catch (error) {
    if (error instanceof StudioError && error.retry === 'smaller') return undefined;
    throw error;
  }
}
