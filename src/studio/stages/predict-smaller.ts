import { StudioError } from '../errors/index.js';
import type { LookOrder, TimelineEntry } from '../jobs.js';
import { limits } from '../limits.js';
import type { Colorizer, Prediction, RunContext } from '../ports/colorizer.js';

const sizesPx = [1536, 1280, 1024, 768, 640, 512, 384, 256, 192, 128];

/**
 * Predict; where the device's memory does not suffice, one size down, and again. Everything that
 * happened is noted: nobody gets a smaller result without being told.
 * @throws what `predict` throws, and InferenceOutOfMemory when no smaller size is left.
 */
export async function predictSmaller(
  colorizer: Colorizer,
  file: string,
  look: LookOrder,
  note: (event: string, details: TimelineEntry['details']) => void,
  context: RunContext,
): Promise<Prediction> {
  let { sizePx } = look;
  for (;;) {
    try {
      const asked = { model: look.model, sizePx, ...(look.fit ? { fit: look.fit } : {}) };
      const prediction = await colorizer.predict(file, asked, context);
      const { model, inputWidthPx, inputHeightPx, provider, seconds, notes } = prediction;
      const milliseconds = Math.round(seconds * 1000);
      const details = { model, inputWidthPx, inputHeightPx, provider, milliseconds };
      note('photo.predicted', details);
      for (const { key, params } of notes) note('photo.note', { ...params, key });
      return prediction;
    } catch (error) {
      if (!(error instanceof StudioError) || error.retry !== 'smaller') throw error;
      const tried = Number(error.params['sizePx'] ?? sizePx ?? limits.model.maxSizePx);
      const next = sizesPx.find((size) => size < tried);
      if (next === undefined) throw error;
      const { model } = look;
      note('photo.outOfMemory', { model, sizePx: tried, nextSizePx: next, code: error.code });
      sizePx = next;
    }
  }
}
