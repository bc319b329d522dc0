import type { DdcolorContext, PlainContext } from './ddcolor-context.js';
import { buildPlainEncoder } from './ddcolor-plain-encoder.js';
import { buildPlainTransformer } from './ddcolor-plain-transformer.js';
import { takeSpectral } from './ddcolor-weights.js';
import { transpose } from './fold.js';

const BATCH_NORM_EPS = 1e-5;

/** The network as PyTorch computes it, with names for what is inside, to compare stage by stage. */
export interface PlainDdcolor {
  readonly output: string;
  /** Values inside the network by name: `enc_norm0`, `unet_out2`, `color_embed`... */
  readonly stages: ReadonlyMap<string, string>;
}

/**
 * The network as the reference and direct exports of it compute it, for comparison: nothing is
 * folded. With `spectralInGraph` even spectral norm stays, its weights stored twice, as in most
 * exports to be found.
 */
export function buildPlainDdcolor(
  base: DdcolorContext,
  input: string,
  spectralInGraph = false,
): PlainDdcolor {
  const stages = new Map<string, string>();
  const { l, w } = base;
  const context: PlainContext = {
    ...base,
    load: (key, shape) => l.g.weight(key, shape, w.take(key, shape)),
    dense: (x, prefix, inputs, outputs) => {
      const weight = w.take(`${prefix}.weight`, [outputs, inputs]);
      const matrix = () => transpose(weight(), outputs, inputs);
      const product = l.matMul(x, `${prefix}.weight`, inputs, outputs, matrix);
      return l.add(product, context.load(`${prefix}.bias`, [outputs]));
    },
    mark: (name, value) => {
      stages.set(name, value);
      return value;
    },
  };
  const spectral = spectralInGraph ? graphSpectral : foldedSpectral;
  return { output: buildNetwork(context, input, spectral), stages };
}

type Kernel = readonly [number, number, number, number];
type Spectral = (context: PlainContext, prefix: string, shape: Kernel) => string;

function foldedSpectral({ l, w }: PlainContext, prefix: string, shape: Kernel): string {
  return l.g.weight(`${prefix}.weight`, shape, takeSpectral(w, prefix, shape));
}

function graphSpectral({ l, w, load }: PlainContext, prefix: string, shape: Kernel): string {
  const [out, ...rest] = shape;
  const columns = rest.reduce((product, side) => product * side, 1);
  const original = load(`${prefix}.weight_orig`, shape);
  const same = w.take(`${prefix}.weight_orig`, shape);
  const matrix = l.g.weight(`${prefix}.weight_mat`, [out, columns], same);
  const right = l.g.node('MatMul', [matrix, load(`${prefix}.weight_v`, [columns])]);
  const sigma = l.g.node('MatMul', [load(`${prefix}.weight_u`, [out]), right]);
  return l.g.node('Div', [original, sigma]);
}

function buildNetwork(context: PlainContext, input: string, spectral: Spectral): string {
  const { l, shape, load, mark } = context;
  const centred = l.g.node('Sub', [input, load('mean', [1, 3, 1, 1])]);
  const x = l.g.node('Div', [centred, load('std', [1, 3, 1, 1])]);
  const taps = buildPlainEncoder(context, x);
  const features: string[] = [];
  for (let block = 0; block < shape.unet.length; block++) {
    const below = features[block - 1] ?? taps[3]!;
    features.push(unetBlock(context, block, below, taps[2 - block]!, spectral));
  }
  const colors = buildPlainTransformer(context, features);
  const outputs = 16 * shape.colorWidth;
  const prefix = 'decoder.last_shuf.conv.0';
  const weight = spectral(context, prefix, [outputs, shape.unet[2]!, 1, 1]);
  const bias = load(`${prefix}.bias`, [outputs]);
  const last = l.conv(features[2]!, weight, bias, { kernel: 1 });
  const image = l.shuffleAndBlur(l.relu(last), 4);
  const maps = mark('einsum', l.g.node('Einsum', [colors, image], { equation: 'bqc,bchw->bqhw' }));
  const refine = spectral(context, 'refine_net.0.0', [shape.outputs, shape.queries + 3, 1, 1]);
  const both = l.concat([maps, x], 1);
  return l.conv(both, refine, load('refine_net.0.0.bias', [shape.outputs]), { kernel: 1 });
}

function unetBlock(
  context: PlainContext,
  block: number,
  below: string,
  skip: string,
  spectral: Spectral,
): string {
  const { l, shape, mark } = context;
  const size = shape.unet[block]!;
  const inputs = block === 0 ? shape.widths[3]! : shape.unet[block - 1]!;
  const skipSize = shape.widths[2 - block]!;
  const prefix = `decoder.layers.${block}`;
  const kernel = spectral(context, `${prefix}.shuf.conv.0`, [4 * size, inputs, 1, 1]);
  const wide = l.conv(below, kernel, undefined, { kernel: 1 });
  const normed = l.relu(batchNorm(context, wide, `${prefix}.shuf.conv.1`, 4 * size));
  const up = mark(`unet${block}_shuf`, l.shuffleAndBlur(normed, 2));
  const beside = batchNorm(context, skip, `${prefix}.bn`, skipSize);
  const both = l.relu(l.concat([up, beside], 1));
  const merge = spectral(context, `${prefix}.conv.0`, [size, size + skipSize, 3, 3]);
  const merged = l.relu(l.conv(both, merge, undefined, { kernel: 3, pad: 1 }));
  return mark(`unet_out${block}`, batchNorm(context, merged, `${prefix}.conv.2`, size));
}

function batchNorm({ l, load }: PlainContext, x: string, prefix: string, size: number): string {
  const names = ['weight', 'bias', 'running_mean', 'running_var'];
  const inputs = names.map((name) => load(`${prefix}.${name}`, [size]));
  return l.g.node('BatchNormalization', [x, ...inputs], { epsilon: BATCH_NORM_EPS });
}
