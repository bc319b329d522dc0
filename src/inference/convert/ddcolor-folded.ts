import type { DdcolorContext } from './ddcolor-context.js';
import { buildFoldedEncoder } from './ddcolor-folded-encoder.js';
import { buildFoldedTransformer } from './ddcolor-folded-transformer.js';
import { buildFoldedUnet, type Feature } from './ddcolor-folded-unet.js';
import { takeSpectral } from './ddcolor-weights.js';
import { foldBefore, normalization } from './fold.js';
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
  const { queries, outputs, colorWidth } = shape;
  const refine = takeSpectral(w, 'refine_net.0.0', [outputs, queries + 3, 1, 1]);
  const mixer = l.g.weight('refine.queries', [outputs, queries], () =>
    columns(refine(), outputs, 0, queries),
  );
  const mixed = l.g.node('MatMul', [mixer, colors]);
  const high = lastUpsample(context, feature);
  const flat = l.reshape(high, [colorWidth, -1]);
  const target = l.concat(
    [l.g.integers([1, outputs * FACTOR ** 2]), l.g.node('Shape', [high], { start: 2 })],
    0,
  );
  const small = l.g.node('Reshape', [l.g.node('MatMul', [mixed, flat]), target]);
  return l.add(l.shuffleAndBlur(small, FACTOR), imagePart(context, input, refine));
}

function lastUpsample({ l, w, shape }: DdcolorContext, feature: Feature): string {
  const outputs = FACTOR ** 2 * shape.colorWidth;
  const prefix = 'decoder.last_shuf.conv.0';
  const weight = takeSpectral(w, prefix, [outputs, feature.size, 1, 1]);
  const bias = w.take(`${prefix}.bias`, [outputs]);
  const folded = () => foldBefore({ weight: weight(), bias: bias() }, feature.affine());
  const conv = l.conv(
    feature.value,
    l.g.weight('last.weight', [outputs, feature.size, 1, 1], () => folded().weight),
    l.vector('last.bias', outputs, () => folded().bias),
    { kernel: 1 },
  );
  return l.relu(conv);
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
