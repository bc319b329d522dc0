import type { NodeWork } from './node-run.js';

/** DDColor nodes: `render_factor` times 16 is the size, as in DeOldify. */
export const colorizeImage: NodeWork = async (node, run) => {
  const image = run.picture(node, 'image');
  const { model_input_size, size, render_factor, checkpoint } = node.values;
  const sizePx = model_input_size ?? size ?? (render_factor && Number(render_factor) * 16);
  const predicting = run.colorizer.predict(
    image.file,
    {
      model: run.model(checkpoint === undefined ? undefined : String(checkpoint)),
      sizePx: sizePx === undefined ? undefined : Number(sizePx),
    },
    run.context,
  );
  const output = run.temporary('.tif');
  const { widthPx, heightPx, bitDepth } = await run.colorizer.render(
    image.file,
    predicting.then(({ chroma }) => chroma),
    output,
    // The visible label belongs on the result, once: SaveImage writes it.
    { format: 'tiff', label: { ...run.label, text: undefined } },
    run.context,
  );
  for (const note of (await predicting).notes) run.note(note);
  return { file: output, widthPx, heightPx, bitDepth };
};
