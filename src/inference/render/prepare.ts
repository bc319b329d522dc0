import type { GreyPixels } from '../codec/decode.js';
import { adjustChroma } from '../color/chroma-adjust.js';
import { buildChromaGrid } from '../color/chroma-grid.js';
import { lightnessReader } from '../color/lightness.js';
import type { RecombineKit } from '../color/recombine-kit.js';
import { contrastCurves } from '../finishing/contrast.js';
import type { Prepared, PrepareTask } from './strip-job.js';

/** Everything that is computed once per render, at the plane's size. */
export function prepare(task: PrepareTask, kit: RecombineKit): Prepared {
  const { widthPx, heightPx, ab } = task.chroma;
  const f = lightnessOf(task.guide);
  const chroma = adjustChroma(ab, widthPx, heightPx, f, task.adjustment);
  return {
    grid: buildChromaGrid(chroma, f, task.upsampling, kit),
    curves: task.contrast > 0 ? contrastCurves(f, widthPx, heightPx, task.contrast) : undefined,
  };
}

/** Lightness f of every pixel. */
export function lightnessOf({ data, channels, bitDepth }: GreyPixels): Float64Array {
  const f = new Float64Array(data.length / channels);
  lightnessReader(bitDepth).read(data, 0, channels, f.length, f);
  return f;
}
