import type { DdcolorContext } from './ddcolor-context.js';
import { buildFoldedEncoder } from './ddcolor-folded-encoder.js';
import { buildFoldedTransformer } from './ddcolor-folded-transformer.js';
import { buildFoldedUnet, type Feature } from './ddcolor-folded-unet.js';
import { takeSpectral } from './ddcolor-weights.js';
import { foldBefore, normalization, transpose } from './fold.js';
import type { Floats } from './weight.js';

/** Pixel shuffle of the last stage: 1/4 to full size. */
const FACTOR = 4;

/**
 * The whole network, lean: the same function as the reference with every constant folded and the
 * linear tail re-associated.
 * @param input value [1, 3, H, W], RGB 0..1.
 * @returns value [1, 2, H, W], a* and b*.
 */
export function buildFoldedDdcolor(context: DdcolorContext, input: string): string {
  const features = buildFoldedUnet(context, buildFoldedEncoder(context, input));
  const colors = buildFoldedTransformer(context, features);
  return buildTail(context, input, features[2]!, colors);
}

/**
 * Behind the last ReLU everything is linear: shuffle, blur, the product with the colour embeddings
 * and the refining 1x1 convolution. So the embeddings are joined with the refining weights first,
 * [2, colour width], and only two channels are shuffled and blurred instead of a hundred.
 */
function buildTail(context: DdcolorContext, input: string, feature: Feature, colors: string) {
  const { l, w, shape } = context;
  const { queries, outputs } = shape;
  const refine = takeSpectral(w, 'refine_net.0.0', [outputs, queries + 3, 1, 1]);
  const mixer = l.g.weight('refine.queries', [outputs, queries], () =>
    columns(refine(), outputs, 0, queries),
  );
  const mixed = l.transpose(l.g.node('MatMul', [mixer, colors]), [1, 0]);
  const small = lastUpsample(context, feature, mixed);
  return l.add(l.shuffleAndBlur(small, FACTOR), imagePart(context, input, refine));
}

/**
 * The last convolution, each of its 16 sub-pixels by itself as a matrix product over the pixels,
 * joined with the colours at once: the 16 times 256 channels never exist together (268 MB at
 * 512 px), and what exists fits into a processor's cache.
 * @param mixed value [colour width, 2].
 * @returns value [1, 2 x 16, h, w].
 */
function lastUpsample({ l, w, shape }: DdcolorContext, feature: Feature, mixed: string): string {
  const { outputs, colorWidth } = shape;
  const { size } = feature;
  const parts = FACTOR ** 2;
  const prefix = 'decoder.last_shuf.conv.0';
  const weight = takeSpectral(w, prefix, [parts * colorWidth, size, 1, 1]);
  const bias = w.take(`${prefix}.bias`, [parts * colorWidth]);
  const folded = () => foldBefore({ weight: weight(), bias: bias() }, feature.affine());
  const pixels = l.reshape(feature.nhwc, [-1, size]);
  const products = Array.from({ length: parts }, (_, part) => {
    const high = l.dense(pixels, `last.${part}`, size, colorWidth, {
      weight: () => transpose(everyRow(folded().weight, size, part, parts), colorWidth, size),
      bias: () => everyRow(folded().bias, 1, part, parts),
    });
    return l.g.node('MatMul', [l.relu(high), mixed]);
  });
  const sides = l.g.node('Shape', [feature.nhwc], { start: 1, end: 3 });
  const split = l.concat([sides, l.g.integers([parts, outputs])], 0);
  const all = l.g.node('Reshape', [l.concat(products, 1), split]);
  const joined = l.concat([l.g.integers([1, outputs * parts]), sides], 0);
  return l.g.node('Reshape', [l.transpose(all, [3, 2, 0, 1]), joined]);
}

/** The refining weights' share for the image itself, input normalisation folded. */
function imagePart({ l, w, shape }: DdcolorContext, input: string, refine: () => Floats): string {
  const { queries, outputs } = shape;
  const bias = w.take('refine_net.0.0.bias', [outputs]);
  const [mean, std] = [w.take('mean', [1, 3, 1, 1]), w.take('std', [1, 3, 1, 1])];
  const folded = () => {
    const weight = columns(refine(), outputs, queries, queries + 3);
    return foldBefore({ weight, bias: bias() }, normalization(mean(), std()));
  };
  return l.conv(
    input,
    l.g.weight('refine.image.weight', [outputs, 3, 1, 1], () => folded().weight),
    l.vector('refine.image.bias', outputs, () => folded().bias),
    { kernel: 1 },
  );
}

/** Columns `from` to `to` of a matrix with `rows` rows. */
function columns(matrix: Floats, rows: number, from: number, to: number): Floats {
  const width = matrix.length / rows;
  const out = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++)
    out.set(matrix.subarray(row * width + from, row * width + to), row * (to - from));
  return out;
}

/** Rows `first`, `first + step`, `first + 2 step`... of a matrix. */
function everyRow(matrix: Floats, width: number, first: number, step: number): Floats {
  const rows = matrix.length / width / step;
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = (row * step + first) * width;
    out.set(matrix.subarray(from, from + width), row * width);
  }
  return out;
}
