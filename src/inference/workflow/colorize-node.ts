import type { NodeWork } from './node-run.js';

/** DDColor nodes: `render_factor` times 16 is the size, as in DeOldify. */
export const colorizeImage: NodeWork = async (node, run) => {
  const image = run.picture(node, 'image');
  const { model_input_size, size, render_factor, checkpoint } = node.values;
  const sizePx = model_input_size ?? size ?? (render_factor && Number(render_factor) * 16);
  const prediction = await run.colorizer.predict(
    image.file,
    {
      model: run.model(checkpoint === undefined ? undefined : String(checkpoint)),
      sizePx: sizePx === undefined ? undefined : Number(sizePx),
    },
    run.context,
  );
  for (const note of prediction.notes) run.note(note);
  const output = run.temporary('.tif');
  const { widthPx, heightPx } = await run.colorizer.render(
    image.file,
    prediction.chroma,
    output,
    // The visible label belongs on the result, once: SaveImage writes it.
    { format: 'tiff', label: { ...run.label, text: undefined } },
    run.context,
  );
  return { file: output, widthPx, heightPx };
};
