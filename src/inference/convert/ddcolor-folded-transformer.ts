import type { DdcolorContext } from './ddcolor-context.js';
import {
  addNorm,
  attend,
  finishAttention,
  norm,
  placed,
  splitHeads,
  stack,
  takeAttention,
} from './ddcolor-folded-attention.js';
import type { Feature } from './ddcolor-folded-unet.js';
import { multiply, scaleAll, scaleColumns, transpose } from './fold.js';
import { positionOf } from './position.js';
import type { Floats } from './weight.js';

const ROOT = 'decoder.color_decoder.';

/** One scale of the image as the transformer sees it, NHWC. */
interface Memory {
  /** Linear part of the projected feature; its constant part is folded into the attention. */
  readonly value: string;
  /** The same plus the position embedding. */
  readonly positioned: string;
  /** The constant that `value` lacks: projection bias, batch norm's shift, level embedding. */
  readonly missing: () => Floats;
}

/**
 * Colour queries attend to the image at three scales in turn.
 *
 * Attention allows two more exact simplifications: a constant added to all keys cancels in the
 * softmax, and a constant added to all values passes through it (the weights sum to 1), so the
 * biases of both leave the big tensors.
 * @returns value [queries, colour width].
 */
export function buildFoldedTransformer(context: DdcolorContext, features: Feature[]): string {
  const { l, w, shape } = context;
  const memories = features.map((feature, scale) => project(context, feature, scale));
  const content = w.take(`${ROOT}query_feat.weight`, [shape.queries, shape.width]);
  let queries = l.g.weight('queries', [shape.queries, shape.width], content);
  for (let layer = 0; layer < shape.layers; layer++) {
    queries = crossAttend(context, queries, memories[layer % shape.scales]!, layer);
    queries = selfAttend(context, queries, layer);
    queries = feedForward(context, queries, layer);
  }
  return embed(context, queries);
}

function project({ l, w, shape }: DdcolorContext, feature: Feature, scale: number): Memory {
  const { width, scales } = shape;
  const prefix = `${ROOT}input_proj.${scale}`;
  const weight = w.take(`${prefix}.weight`, [width, feature.size, 1, 1]);
  const bias = w.take(`${prefix}.bias`, [width]);
  const levels = w.take(`${ROOT}level_embed.weight`, [scales, width]);
  const value = l.matMul(feature.nhwc, `memory${scale}.weight`, feature.size, width, () =>
    transpose(scaleColumns(weight(), feature.affine().scale), width, feature.size),
  );
  const missing = () => {
    const level = levels().subarray(scale * width, (scale + 1) * width);
    const start = bias();
    const shifted = multiply(weight(), feature.affine().shift, feature.size);
    return shifted.map((item, i) => item + start[i]! + level[i]!);
  };
  return { value, positioned: l.add(value, positionOf(l, value, width)), missing };
}

function crossAttend(context: DdcolorContext, x: string, memory: Memory, layer: number): string {
  const { l, w, shape } = context;
  const { width, heads } = shape;
  const name = `cross${layer}`;
  const root = `${ROOT}transformer_cross_attention_layers.${layer}`;
  const parts = takeAttention(w, `${root}.multihead_attn`, width);
  const query = crossQuery(context, x, parts, layer);
  const key = l.matMul(memory.positioned, `${name}.key.weight`, width, width, () =>
    transpose(parts.key(), width, width),
  );
  const value = l.matMul(memory.value, `${name}.value.weight`, width, width, () =>
    transpose(parts.value(), width, width),
  );
  const split = (matrix: string) => splitHeads(context, matrix, heads);
  const attended = attend(context, split(query), split(key), split(value));
  const constant = () => {
    const bias = parts.valueBias();
    return multiply(parts.value(), memory.missing(), width).map((item, i) => item + bias[i]!);
  };
  return finishAttention(context, x, attended, name, parts, constant, `${root}.norm`);
}

/** The first layer's queries have seen nothing yet: they are a constant. */
function crossQuery(
  { l, w, shape }: DdcolorContext,
  x: string,
  parts: ReturnType<typeof takeAttention>,
  layer: number,
): string {
  const { width, queries, heads } = shape;
  const scale = 1 / Math.sqrt(width / heads);
  const content = w.take(`${ROOT}query_feat.weight`, [queries, width]);
  const place = w.take(`${ROOT}query_embed.weight`, [queries, width]);
  const constant = (values: Floats) =>
    scaleAll(placed(values, parts.query(), width, parts.queryBias()), scale);
  if (layer === 0)
    return l.g.weight('cross0.query', [queries, width], () => {
      const places = place();
      return constant(content().map((value, i) => value + places[i]!));
    });
  return l.gemm(
    x,
    l.g.weight(`cross${layer}.query.weight`, [width, width], () =>
      scaleAll(transpose(parts.query(), width, width), scale),
    ),
    l.g.weight(`cross${layer}.query.place`, [queries, width], () => constant(place())),
  );
}

function selfAttend(context: DdcolorContext, x: string, layer: number): string {
  const { l, w, shape } = context;
  const { width, queries, heads } = shape;
  const name = `self${layer}`;
  const root = `${ROOT}transformer_self_attention_layers.${layer}`;
  const parts = takeAttention(w, `${root}.self_attn`, width);
  const place = w.take(`${ROOT}query_embed.weight`, [queries, width]);
  const scale = 1 / Math.sqrt(width / heads);
  const scaledQuery = () => scaleAll(parts.query(), scale);
  const all = l.gemm(
    x,
    l.g.weight(`${name}.weight`, [width, 3 * width], () =>
      transpose(stack([scaledQuery(), parts.key(), parts.value()]), 3 * width, width),
    ),
    l.g.weight(`${name}.place`, [queries, 3 * width], () => {
      const bias = new Float32Array(3 * width);
      bias.set(scaleAll(parts.queryBias(), scale));
      const noValue = new Float32Array(width * width);
      return placed(place(), stack([scaledQuery(), parts.key(), noValue]), width, bias);
    }),
  );
  const [query, key, value] = l.g.nodes('Split', [splitHeads(context, all, 3 * heads)], 3, {
    axis: 0,
  }) as [string, string, string];
  const attended = attend(context, query, key, value);
  return finishAttention(context, x, attended, name, parts, parts.valueBias, `${root}.norm`);
}

function feedForward(context: DdcolorContext, x: string, layer: number): string {
  const { l, w, shape } = context;
  const { width, ffnWidth } = shape;
  const root = `${ROOT}transformer_ffn_layers.${layer}`;
  const wide = l.relu(denseOf(context, x, `${root}.linear1`, `ffn${layer}.1`, width, ffnWidth));
  const out = denseOf(context, wide, `${root}.linear2`, `ffn${layer}.2`, ffnWidth, width);
  return addNorm({ l, w, shape }, x, out, `ffn${layer}.norm`, `${root}.norm`);
}

function embed(context: DdcolorContext, queries: string): string {
  const { shape } = context;
  const { width, colorWidth } = shape;
  const { l } = context;
  const root = `${ROOT}color_embed.layers`;
  const normed = norm(context, queries, 'queries.norm', `${ROOT}decoder_norm`);
  const first = l.relu(denseOf(context, normed, `${root}.0`, 'embed.0', width, width));
  const second = l.relu(denseOf(context, first, `${root}.1`, 'embed.1', width, width));
  return denseOf(context, second, `${root}.2`, 'embed.2', width, colorWidth);
}

function denseOf(
  { l, w }: DdcolorContext,
  x: string,
  key: string,
  name: string,
  inputs: number,
  outputs: number,
): string {
  const weight = w.take(`${key}.weight`, [outputs, inputs]);
  return l.gemm(
    x,
    l.g.weight(`${name}.weight`, [inputs, outputs], () => transpose(weight(), outputs, inputs)),
    l.vector(`${name}.bias`, outputs, w.take(`${key}.bias`, [outputs])),
  );
}
