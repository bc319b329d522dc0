import type { PlainContext } from './ddcolor-context.js';
import { ENCODER_EPS } from './layers.js';

const ROOT = 'encoder.arch.';

/** ConvNeXt layer by layer as the reference computes it, NCHW. @returns the four normalised taps. */
export function buildPlainEncoder(context: PlainContext, input: string): string[] {
  const { shape, mark, load } = context;
  let x = input;
  return shape.widths.map((size, stage) => {
    x = stage === 0 ? stem(context, x) : downsample(context, x, stage);
    for (let block = 0; block < shape.depths[stage]!; block++)
      x = addBlock(context, x, size, `${ROOT}stages.${stage}.${block}`);
    mark(`stage${stage}`, x);
    const affine = [
      load(`${ROOT}norm${stage}.weight`, [size]),
      load(`${ROOT}norm${stage}.bias`, [size]),
    ];
    return mark(`enc_norm${stage}`, normChannels(context, x, affine as [string, string]));
  });
}

function stem(context: PlainContext, x: string): string {
  const { l, shape, load, mark } = context;
  const size = shape.widths[0]!;
  const prefix = `${ROOT}downsample_layers.0`;
  const weight = load(`${prefix}.0.weight`, [size, 3, 4, 4]);
  const patches = l.conv(x, weight, load(`${prefix}.0.bias`, [size]), { kernel: 4, stride: 4 });
  const affine = [load(`${prefix}.1.weight`, [size]), load(`${prefix}.1.bias`, [size])] as const;
  return mark('stem', normChannels(context, patches, affine));
}

function downsample(context: PlainContext, x: string, stage: number): string {
  const { l, shape, load } = context;
  const [inputs, outputs] = [shape.widths[stage - 1]!, shape.widths[stage]!];
  const prefix = `${ROOT}downsample_layers.${stage}`;
  const affine = [
    load(`${prefix}.0.weight`, [inputs]),
    load(`${prefix}.0.bias`, [inputs]),
  ] as const;
  return l.conv(
    normChannels(context, x, affine),
    load(`${prefix}.1.weight`, [outputs, inputs, 2, 2]),
    load(`${prefix}.1.bias`, [outputs]),
    { kernel: 2, stride: 2 },
  );
}

function addBlock({ l, load, dense }: PlainContext, x: string, size: number, prefix: string) {
  const spatial = l.conv(
    x,
    load(`${prefix}.dwconv.weight`, [size, 1, 7, 7]),
    load(`${prefix}.dwconv.bias`, [size]),
    { kernel: 7, pad: 3, group: size },
  );
  const affine = [
    load(`${prefix}.norm.weight`, [size]),
    load(`${prefix}.norm.bias`, [size]),
  ] as const;
  const normed = l.layerNorm(l.toNhwc(spatial), size, ENCODER_EPS, affine);
  const wide = l.gelu(dense(normed, `${prefix}.pwconv1`, size, 4 * size));
  const narrow = dense(wide, `${prefix}.pwconv2`, 4 * size, size);
  const scaled = l.g.node('Mul', [load(`${prefix}.gamma`, [size]), narrow]);
  return l.add(x, l.toNchw(scaled));
}

/** The reference's own layer norm over axis 1 ("channels_first"), operation by operation. */
function normChannels({ l }: PlainContext, x: string, [scale, shift]: readonly [string, string]) {
  const { g } = l;
  const mean = (value: string) => g.node('ReduceMean', [value], { axes: [1], keepdims: 1 });
  const column = (value: string) => g.node('Unsqueeze', [value, g.integers([1, 2])]);
  const centred = g.node('Sub', [x, mean(x)]);
  const variance = mean(g.node('Pow', [centred, g.floats([2], [])]));
  const deviation = g.node('Sqrt', [l.add(variance, g.floats([ENCODER_EPS], []))]);
  const normed = g.node('Div', [centred, deviation]);
  return l.add(g.node('Mul', [column(scale), normed]), column(shift));
}
