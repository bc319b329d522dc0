import { type StoredTensor, writeTorchCheckpoint } from './torch-checkpoint.js';

/** Sizes of the official networks. */
export const officialShapes = {
  tiny: { widths: [96, 192, 384, 768], depths: [3, 3, 9, 3] },
  large: { widths: [192, 384, 768, 1536], depths: [3, 3, 27, 3] },
} as const;
export type OfficialSize = keyof typeof officialShapes;

const UNET = [512, 512, 256];
const WIDTH = 256;
const QUERIES = 100;
const LAYERS = 9;
const FFN = 2048;

type Make = (numbers: Numbers, shape: readonly number[]) => Float32Array;
type Entry = readonly [key: string, shape: readonly number[], make: Make];

/** Normal numbers from a table: fast enough for 228 million of them, repeatable by seed. */
class Numbers {
  private readonly table = new Float32Array(1 << 20);
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
    for (let i = 0; i < this.table.length; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
      this.table[i] = radius * Math.cos(2 * Math.PI * this.uniform());
    }
  }

  /** Mulberry32. */
  uniform(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  normal(count: number, mean: number, deviation: number): Float32Array {
    const out = new Float32Array(count);
    let at = Math.floor(this.uniform() * this.table.length);
    for (let i = 0; i < count; i++) {
      out[i] = mean + deviation * this.table[at]!;
      at = (at + 1 + (i & 1)) % this.table.length;
    }
    return out;
  }
}

const size = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);
const around =
  (mean: number, deviation: number): Make =>
  (numbers, shape) =>
    numbers.normal(size(shape), mean, deviation);
/** Keeps the spread of what passes through. */
const fan: Make = (numbers, shape) =>
  numbers.normal(size(shape), 0, 1 / Math.sqrt(size(shape.slice(1))));
const bias = around(0, 0.1);
const scale = around(1, 0.1);
const variance: Make = (numbers, shape) =>
  numbers.normal(size(shape), 1, 0.1).map((value) => Math.max(0.5, value));

const affine = (prefix: string, channels: number): Entry[] => [
  [`${prefix}.weight`, [channels], scale],
  [`${prefix}.bias`, [channels], bias],
];
const batchNorm = (prefix: string, channels: number): Entry[] => [
  ...affine(prefix, channels),
  [`${prefix}.running_mean`, [channels], bias],
  [`${prefix}.running_var`, [channels], variance],
];
const dense = (prefix: string, outputs: number, ...rest: number[]): Entry[] => [
  [`${prefix}.weight`, [outputs, ...rest], fan],
  [`${prefix}.bias`, [outputs], bias],
];

/** u and v are constant unit vectors of one sign pattern; sigma then has no reason to be small. */
function spectral(prefix: string, shape: readonly number[]): Entry[] {
  const columns = size(shape.slice(1));
  const unit: Make = (_, [length]) => new Float32Array(length!).fill(1 / Math.sqrt(length!));
  // A constant share of 1.5 / sqrt(rows columns) makes sigma about 1.5: far from zero.
  const weight: Make = (numbers, s) =>
    numbers.normal(size(s), 1.5 / Math.sqrt(s[0]! * columns), 1 / Math.sqrt(columns));
  return [
    [`${prefix}.weight_orig`, shape, weight],
    [`${prefix}.weight_u`, [shape[0]!], unit],
    [`${prefix}.weight_v`, [columns], unit],
  ];
}

function encoderEntries({ widths, depths }: (typeof officialShapes)[OfficialSize]): Entry[] {
  const root = 'encoder.arch';
  const entries: Entry[] = [];
  widths.forEach((width, stage) => {
    const down = `${root}.downsample_layers.${stage}`;
    if (stage === 0)
      entries.push(...dense(`${down}.0`, width, 3, 4, 4), ...affine(`${down}.1`, width));
    else {
      const before = widths[stage - 1]!;
      entries.push(...affine(`${down}.0`, before), ...dense(`${down}.1`, width, before, 2, 2));
    }
    for (let block = 0; block < depths[stage]!; block++) {
      const prefix = `${root}.stages.${stage}.${block}`;
      entries.push([`${prefix}.gamma`, [width], around(0.2, 0.05)]);
      entries.push(
        ...dense(`${prefix}.dwconv`, width, 1, 7, 7),
        ...affine(`${prefix}.norm`, width),
      );
      entries.push(...dense(`${prefix}.pwconv1`, 4 * width, width));
      entries.push(...dense(`${prefix}.pwconv2`, width, 4 * width));
    }
    entries.push(...affine(`${root}.norm${stage}`, width));
  });
  return entries;
}

function decoderEntries(widths: readonly number[]): Entry[] {
  const entries: Entry[] = [];
  UNET.forEach((channels, block) => {
    const prefix = `decoder.layers.${block}`;
    const below = block === 0 ? widths[3]! : UNET[block - 1]!;
    const skip = widths[2 - block]!;
    entries.push(...spectral(`${prefix}.shuf.conv.0`, [4 * channels, below, 1, 1]));
    entries.push(
      ...batchNorm(`${prefix}.shuf.conv.1`, 4 * channels),
      ...batchNorm(`${prefix}.bn`, skip),
    );
    entries.push(...spectral(`${prefix}.conv.0`, [channels, channels + skip, 3, 3]));
    entries.push(...batchNorm(`${prefix}.conv.2`, channels));
  });
  entries.push(...spectral('decoder.last_shuf.conv.0', [16 * WIDTH, UNET[2]!, 1, 1]));
  entries.push(['decoder.last_shuf.conv.0.bias', [16 * WIDTH], bias]);
  entries.push(...spectral('refine_net.0.0', [2, QUERIES + 3, 1, 1]));
  entries.push(['refine_net.0.0.bias', [2], bias]);
  return entries;
}

function transformerEntries(): Entry[] {
  const root = 'decoder.color_decoder';
  const attention = (prefix: string): Entry[] => [
    [`${prefix}.in_proj_weight`, [3 * WIDTH, WIDTH], fan],
    [`${prefix}.in_proj_bias`, [3 * WIDTH], bias],
    ...dense(`${prefix}.out_proj`, WIDTH, WIDTH),
  ];
  const entries: Entry[] = [
    [`${root}.query_feat.weight`, [QUERIES, WIDTH], around(0, 1)],
    [`${root}.query_embed.weight`, [QUERIES, WIDTH], around(0, 1)],
    [`${root}.level_embed.weight`, [3, WIDTH], around(0, 1)],
    ...affine(`${root}.decoder_norm`, WIDTH),
  ];
  UNET.forEach((channels, scale) => {
    entries.push(...dense(`${root}.input_proj.${scale}`, WIDTH, channels, 1, 1));
  });
  for (let layer = 0; layer < LAYERS; layer++) {
    const cross = `${root}.transformer_cross_attention_layers.${layer}`;
    const self = `${root}.transformer_self_attention_layers.${layer}`;
    const ffn = `${root}.transformer_ffn_layers.${layer}`;
    entries.push(...attention(`${cross}.multihead_attn`), ...affine(`${cross}.norm`, WIDTH));
    entries.push(...attention(`${self}.self_attn`), ...affine(`${self}.norm`, WIDTH));
    entries.push(...dense(`${ffn}.linear1`, FFN, WIDTH), ...dense(`${ffn}.linear2`, WIDTH, FFN));
    entries.push(...affine(`${ffn}.norm`, WIDTH));
  }
  for (let i = 0; i < 3; i++)
    entries.push(...dense(`${root}.color_embed.layers.${i}`, WIDTH, WIDTH));
  return entries;
}

/** Every tensor of an official network, with random numbers that keep activations sane. */
function ddcolorTensors(official: OfficialSize, seed = 1): StoredTensor[] {
  const numbers = new Numbers(seed);
  const shape = officialShapes[official];
  const entries: Entry[] = [
    ['mean', [1, 3, 1, 1], () => Float32Array.of(0.485, 0.456, 0.406)],
    ['std', [1, 3, 1, 1], () => Float32Array.of(0.229, 0.224, 0.225)],
    ...encoderEntries(shape),
    ...decoderEntries(shape.widths),
    ...transformerEntries(),
  ];
  return entries.map(([name, sides, make]) => ({
    name,
    shape: sides,
    bytes: () => new Uint8Array(make(numbers, sides).buffer),
  }));
}

/** Write a checkpoint of an official network's exact shapes with random weights. */
export function writeDdcolorCheckpoint(file: string, official: OfficialSize, seed = 1): void {
  writeTorchCheckpoint(file, ddcolorTensors(official, seed));
}
