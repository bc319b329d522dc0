import { CheckpointUnfit } from '../../studio/errors/index.js';
import type { Weight } from './weight.js';

/**
 * Sizes of a network of the DDColor family, all read from the weights but `heads`.
 * @see Kang et al., DDColor, ICCV 2023; https://github.com/piddnad/DDColor
 */
export interface DdcolorShape {
  /** Channels of the four ConvNeXt stages. */
  readonly widths: readonly number[];
  /** Blocks of the four stages. */
  readonly depths: readonly number[];
  /** Output channels of the three U-Net blocks. */
  readonly unet: readonly number[];
  /** Transformer width. */
  readonly width: number;
  readonly queries: number;
  /** Feature scales the transformer attends to in turn. */
  readonly scales: number;
  readonly layers: number;
  readonly ffnWidth: number;
  /** Length of a colour embedding. */
  readonly colorWidth: number;
  /** 2: a* and b*. */
  readonly outputs: number;
  /** Attention heads; not in the file. */
  readonly heads: number;
}

/** Of every official checkpoint. */
const OFFICIAL_HEADS = 8;

/** Stages, skips and shuffles of the family. */
const STAGES = 4;
const UNET_BLOCKS = 3;

/**
 * Infer the sizes from the shapes of the weights.
 * @param weights by key.
 * @param heads attention heads, 8 in all official files.
 * @throws {CheckpointUnfit} another network; names the first key that does not fit.
 */
export function inferDdcolorShape(
  weights: ReadonlyMap<string, Weight>,
  heads: number = OFFICIAL_HEADS,
): DdcolorShape {
  refuseRelatives(weights);
  const dim = (key: string, axis: number, rank: number) => sideOf(weights, key, axis, rank);
  const count = (prefix: string, what: string) => countIndices(weights, prefix, what);
  const color = 'decoder.color_decoder.';
  const stages = [...Array(STAGES).keys()];
  const blocks = [...Array(UNET_BLOCKS).keys()];
  const down = 'encoder.arch.downsample_layers.';
  const shape: DdcolorShape = {
    widths: stages.map((i) => dim(`${down}${i}.${i === 0 ? 0 : 1}.weight`, 0, 4)),
    depths: stages.map((i) => count(`encoder.arch.stages.${i}.`, 'a block')),
    unet: blocks.map((i) => dim(`decoder.layers.${i}.conv.0.weight_orig`, 0, 4)),
    width: dim(`${color}query_feat.weight`, 1, 2),
    queries: dim(`${color}query_feat.weight`, 0, 2),
    scales: dim(`${color}level_embed.weight`, 0, 2),
    layers: count(`${color}transformer_ffn_layers.`, 'a layer'),
    ffnWidth: dim(`${color}transformer_ffn_layers.0.linear1.weight`, 0, 2),
    colorWidth: dim(`${color}color_embed.layers.2.weight`, 0, 2),
    outputs: dim('refine_net.0.0.weight_orig', 0, 4),
    heads,
  };
  checkRelations(shape);
  return shape;
}

function checkRelations({ width, heads, scales, outputs }: DdcolorShape) {
  const unfit = (key: string, expected: string, found: number) => {
    throw new CheckpointUnfit(`decoder.color_decoder.${key}`, expected, String(found));
  };
  if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0)
    unfit('query_feat.weight', `a width that ${heads} attention heads divide`, width);
  if (width % 4 !== 0) unfit('query_feat.weight', 'a width divisible by 4', width);
  if (scales !== UNET_BLOCKS) unfit('level_embed.weight', `${UNET_BLOCKS} scales`, scales);
  if (outputs !== 2)
    throw new CheckpointUnfit('refine_net.0.0.weight_orig', '2 outputs (a*, b*)', String(outputs));
}

/** Networks that look alike but compute something else. */
function refuseRelatives(weights: ReadonlyMap<string, Weight>) {
  for (const key of weights.keys()) {
    if (key.endsWith('weight_g')) throw new CheckpointUnfit(key, 'spectral norm', 'weight norm');
    const single =
      key.startsWith('decoder.color_decoder.transformer.') ||
      key === 'decoder.color_decoder.input_proj.weight';
    if (single) throw new CheckpointUnfit(key, 'MultiScaleColorDecoder', 'SingleColorDecoder');
  }
}

function sideOf(weights: ReadonlyMap<string, Weight>, key: string, axis: number, rank: number) {
  const weight = weights.get(key);
  if (!weight) throw new CheckpointUnfit(key, 'a weight', 'nothing');
  if (weight.shape.length !== rank || weight.shape.includes(0))
    throw new CheckpointUnfit(key, `${rank} sides`, `[${weight.shape}]`);
  return weight.shape[axis]!;
}

/** Highest index after the prefix, plus one. Absurd indices fail when their keys are taken. */
function countIndices(weights: ReadonlyMap<string, Weight>, prefix: string, what: string): number {
  const indices = new Set<number>();
  for (const key of weights.keys()) {
    const match = key.startsWith(prefix) && /^(\d{1,3})\./.exec(key.slice(prefix.length));
    if (match) indices.add(Number(match[1]));
  }
  for (let i = 0; i < Math.max(1, indices.size); i++)
    if (!indices.has(i)) throw new CheckpointUnfit(`${prefix}${i}`, what, 'nothing');
  return indices.size;
}
