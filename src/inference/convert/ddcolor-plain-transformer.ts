import type { PlainContext } from './ddcolor-context.js';
import { transpose } from './fold.js';
import { TRANSFORMER_EPS } from './layers.js';
import { anglesOf, frequency } from './position.js';

const ROOT = 'decoder.color_decoder.';

interface Memory {
  /** [1, h w, width]. */
  readonly tokens: string;
  readonly position: string;
}

/** Queries, cross attention, self attention and feed forward as the reference computes them. */
export function buildPlainTransformer(context: PlainContext, features: readonly string[]): string {
  const { l, shape, load, mark } = context;
  const { width, queries, scales, layers } = shape;
  const levels = load(`${ROOT}level_embed.weight`, [scales, width]);
  const memories = features.map((feature, scale) => project(context, feature, scale, levels));
  const place = load(`${ROOT}query_embed.weight`, [queries, width]);
  const content = load(`${ROOT}query_feat.weight`, [queries, width]);
  let x = l.g.node('Unsqueeze', [content, l.g.integers([0])]);
  for (let layer = 0; layer < layers; layer++) {
    const { tokens, position } = memories[layer % scales]!;
    const cross = `${ROOT}transformer_cross_attention_layers.${layer}`;
    const self = `${ROOT}transformer_self_attention_layers.${layer}`;
    const placed = [l.add(x, place), l.add(tokens, position), tokens] as const;
    x = addNorm(context, x, attention(context, `${cross}.multihead_attn`, placed), `${cross}.norm`);
    mark(`query_after_cross${layer}`, x);
    const own = l.add(x, place);
    x = addNorm(context, x, attention(context, `${self}.self_attn`, [own, own, x]), `${self}.norm`);
    mark(`query_after_self${layer}`, x);
    x = mark(`query_after_layer${layer}`, feedForward(context, x, layer));
  }
  return mark('color_embed', embed(context, x));
}

function project(context: PlainContext, feature: string, scale: number, levels: string): Memory {
  const { l, shape, load, mark } = context;
  const prefix = `${ROOT}input_proj.${scale}`;
  const weight = load(`${prefix}.weight`, [shape.width, shape.unet[scale]!, 1, 1]);
  const projected = l.conv(feature, weight, load(`${prefix}.bias`, [shape.width]), { kernel: 1 });
  const flat = (value: string) => l.transpose(l.reshape(value, [1, shape.width, -1]), [0, 2, 1]);
  const level = l.g.node('Gather', [levels, l.g.integers([scale], 'scalar')], { axis: 0 });
  const position = mark(`pos${scale}`, positionMap(context, projected));
  return { tokens: l.add(flat(projected), level), position: flat(position) };
}

/** [1, width, h, w]: rows in the first half of the channels, sine and cosine alternating. */
function positionMap({ l, shape }: PlainContext, nchw: string): string {
  const { g } = l;
  const half = shape.width / 2;
  const rates = Array.from({ length: half }, (_, k) => frequency(k, half));
  const even = g.node('Cast', [g.floats(rates.map((_, k) => (k % 2 === 0 ? 1 : 0)))], { to: 9 });
  const wave = (axis: number) => {
    const column = g.node('Unsqueeze', [anglesOf(l, nchw, axis), g.integers([1])]);
    const angles = g.node('Mul', [column, g.floats(rates)]);
    return g.node('Where', [even, g.node('Sin', [angles]), g.node('Cos', [angles])]);
  };
  const spread = (values: string, axis: number) => {
    const lifted = g.node('Unsqueeze', [values, g.integers([axis])]);
    const sizes = g.node('Shape', [nchw], { start: 2 });
    return g.node('Expand', [lifted, l.concat([sizes, g.integers([half])], 0)]);
  };
  const both = l.concat([spread(wave(2), 1), spread(wave(3), 0)], 2);
  return g.node('Unsqueeze', [l.transpose(both, [2, 0, 1]), g.integers([0])]);
}

function attention(
  { l, w, shape, load }: PlainContext,
  prefix: string,
  sources: readonly [string, string, string],
): string {
  const { width, heads } = shape;
  const all = w.take(`${prefix}.in_proj_weight`, [3 * width, width]);
  const biases = w.take(`${prefix}.in_proj_bias`, [3 * width]);
  const [query, key, value] = sources.map((source, part) => {
    const matrix = l.matMul(source, `${prefix}.in.${part}`, width, width, () =>
      transpose(all().slice(part * width * width, (part + 1) * width * width), width, width),
    );
    const bias = l.vector(`${prefix}.in.${part}.bias`, width, () =>
      biases().slice(part * width, (part + 1) * width),
    );
    return l.transpose(l.reshape(l.add(matrix, bias), [1, -1, heads, width / heads]), [0, 2, 1, 3]);
  }) as [string, string, string];
  const scaled = l.g.node('Mul', [query, l.g.floats([1 / Math.sqrt(width / heads)], [])]);
  const scores = l.softmax(l.g.node('MatMul', [scaled, l.transpose(key, [0, 1, 3, 2])]));
  const joined = l.transpose(l.g.node('MatMul', [scores, value]), [0, 2, 1, 3]);
  const flat = l.reshape(joined, [1, -1, width]);
  const out = w.take(`${prefix}.out_proj.weight`, [width, width]);
  const product = l.matMul(flat, `${prefix}.out_proj.weight`, width, width, () =>
    transpose(out(), width, width),
  );
  return l.add(product, load(`${prefix}.out_proj.bias`, [width]));
}

function feedForward(context: PlainContext, x: string, layer: number): string {
  const { l, shape, dense } = context;
  const { width, ffnWidth } = shape;
  const root = `${ROOT}transformer_ffn_layers.${layer}`;
  const wide = l.relu(dense(x, `${root}.linear1`, width, ffnWidth));
  return addNorm(context, x, dense(wide, `${root}.linear2`, ffnWidth, width), `${root}.norm`);
}

/** [1, queries, colour width]. */
function embed(context: PlainContext, x: string): string {
  const { l, shape, dense } = context;
  const { width, colorWidth } = shape;
  const root = `${ROOT}color_embed.layers`;
  const normed = norm(context, x, `${ROOT}decoder_norm`);
  const first = l.relu(dense(normed, `${root}.0`, width, width));
  const second = l.relu(dense(first, `${root}.1`, width, width));
  return dense(second, `${root}.2`, width, colorWidth);
}

function addNorm(context: PlainContext, x: string, out: string, key: string): string {
  return norm(context, context.l.add(x, out), key);
}

function norm({ l, shape, load }: PlainContext, x: string, key: string): string {
  const affine = [
    load(`${key}.weight`, [shape.width]),
    load(`${key}.bias`, [shape.width]),
  ] as const;
  return l.layerNorm(x, shape.width, TRANSFORMER_EPS, affine);
}
