import type { DdcolorContext } from './ddcolor-context.js';
import { takeAffine, takeBatchNorm } from './ddcolor-weights.js';
import { compose, foldBefore, normalization, scaleRows, transpose } from './fold.js';
import { ENCODER_EPS } from './layers.js';

const ROOT = 'encoder.arch.';

/** What the U-Net takes from the encoder, NCHW, coarse to fine. */
export interface EncoderTaps {
  /** 1/32. */
  readonly deepest: string;
  /** 1/16, 1/8, 1/4: normalised, through the skip's batch norm and ReLU. */
  readonly skips: readonly string[];
}

/**
 * ConvNeXt with every affine folded into the linear layer behind it and the residual stream kept
 * NHWC, so that layer norm and the two matrix products need no transposition.
 * @see Liu et al., A ConvNet for the 2020s, CVPR 2022
 */
export function buildFoldedEncoder(context: DdcolorContext, input: string): EncoderTaps {
  const { l, shape } = context;
  let x = stem(context, input);
  const taps: string[] = [];
  for (let stage = 0; stage < shape.widths.length; stage++) {
    if (stage > 0) x = downsample(context, x, stage);
    for (let block = 0; block < shape.depths[stage]!; block++)
      x = addBlock(context, x, stage, block);
    taps.push(tap(context, x, stage));
  }
  return { deepest: l.toNchw(taps[3]!), skips: [taps[2]!, taps[1]!, taps[0]!].map(l.toNchw) };
}

/** Input normalisation lies in the convolution: it does not pad. NCHW to NHWC. */
function stem({ l, w, shape }: DdcolorContext, input: string): string {
  const size = shape.widths[0]!;
  const prefix = `${ROOT}downsample_layers.0`;
  const weight = w.take(`${prefix}.0.weight`, [size, 3, 4, 4]);
  const bias = w.take(`${prefix}.0.bias`, [size]);
  const [mean, std] = [w.take('mean', [1, 3, 1, 1]), w.take('std', [1, 3, 1, 1])];
  const norm = takeAffine(w, `${prefix}.1`, size);
  const folded = () =>
    foldBefore({ weight: weight(), bias: bias() }, normalization(mean(), std()), 16);
  const x = l.conv(
    input,
    l.g.weight('stem.weight', [size, 3, 4, 4], () => folded().weight),
    l.vector('stem.bias', size, () => folded().bias),
    { kernel: 4, stride: 4 },
  );
  const scale = l.vector('stem.norm.scale', size, () => norm().scale);
  const shift = l.vector('stem.norm.shift', size, () => norm().shift);
  return l.layerNorm(l.toNhwc(x), size, ENCODER_EPS, [scale, shift]);
}

/** Layer norm, its affine folded into the 2x2 convolution behind it. */
function downsample({ l, w, shape }: DdcolorContext, x: string, stage: number): string {
  const [inputs, outputs] = [shape.widths[stage - 1]!, shape.widths[stage]!];
  const prefix = `${ROOT}downsample_layers.${stage}`;
  const norm = takeAffine(w, `${prefix}.0`, inputs);
  const weight = w.take(`${prefix}.1.weight`, [outputs, inputs, 2, 2]);
  const bias = w.take(`${prefix}.1.bias`, [outputs]);
  const folded = () => foldBefore({ weight: weight(), bias: bias() }, norm(), 4);
  const down = l.conv(
    l.toNchw(l.layerNorm(x, inputs, ENCODER_EPS)),
    l.g.weight(`down${stage}.weight`, [outputs, inputs, 2, 2], () => folded().weight),
    l.vector(`down${stage}.bias`, outputs, () => folded().bias),
    { kernel: 2, stride: 2 },
  );
  return l.toNhwc(down);
}

/** x + gamma * mlp(norm(depthwise(x))), norm's affine and gamma inside the two products. */
function addBlock(context: DdcolorContext, x: string, stage: number, block: number): string {
  const { l, w, shape } = context;
  const size = shape.widths[stage]!;
  const prefix = `${ROOT}stages.${stage}.${block}`;
  const name = `stage${stage}.${block}`;
  const spatial = l.conv(
    l.toNchw(x),
    l.g.weight(
      `${name}.depthwise.weight`,
      [size, 1, 7, 7],
      w.take(`${prefix}.dwconv.weight`, [size, 1, 7, 7]),
    ),
    l.vector(`${name}.depthwise.bias`, size, w.take(`${prefix}.dwconv.bias`, [size])),
    { kernel: 7, pad: 3, group: size },
  );
  const normed = l.layerNorm(l.toNhwc(spatial), size, ENCODER_EPS);
  const norm = takeAffine(w, `${prefix}.norm`, size);
  const weight1 = w.take(`${prefix}.pwconv1.weight`, [4 * size, size]);
  const bias1 = w.take(`${prefix}.pwconv1.bias`, [4 * size]);
  const first = () => foldBefore({ weight: weight1(), bias: bias1() }, norm());
  const wide = l.matMul(normed, `${name}.expand.weight`, size, 4 * size, () =>
    transpose(first().weight, 4 * size, size),
  );
  const active = l.gelu(
    l.add(
      wide,
      l.vector(`${name}.expand.bias`, 4 * size, () => first().bias),
    ),
  );
  const gamma = w.take(`${prefix}.gamma`, [size]);
  const weight2 = w.take(`${prefix}.pwconv2.weight`, [size, 4 * size]);
  const bias2 = w.take(`${prefix}.pwconv2.bias`, [size]);
  const narrow = l.matMul(active, `${name}.reduce.weight`, 4 * size, size, () =>
    transpose(scaleRows(weight2(), gamma()), size, 4 * size),
  );
  const bias = l.vector(`${name}.reduce.bias`, size, () => scaleRows(bias2(), gamma()));
  return l.add(x, l.add(narrow, bias));
}

/** Norm of a stage's output; for a skip the U-Net's batch norm and ReLU follow at once. NHWC. */
function tap({ l, w, shape }: DdcolorContext, x: string, stage: number): string {
  const size = shape.widths[stage]!;
  const norm = takeAffine(w, `${ROOT}norm${stage}`, size);
  const skip = stage < 3;
  const batch = skip ? takeBatchNorm(w, `decoder.layers.${2 - stage}.bn`, size) : undefined;
  const affine = () => (batch ? compose(norm(), batch()) : norm());
  const scale = l.vector(`tap${stage}.scale`, size, () => affine().scale);
  const shift = l.vector(`tap${stage}.shift`, size, () => affine().shift);
  const normed = l.layerNorm(x, size, ENCODER_EPS, [scale, shift]);
  return skip ? l.relu(normed) : normed;
}
