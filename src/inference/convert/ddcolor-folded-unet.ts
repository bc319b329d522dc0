import type { DdcolorContext } from './ddcolor-context.js';
import type { EncoderTaps } from './ddcolor-folded-encoder.js';
import { type Affine, takeBatchNorm, takeSpectral } from './ddcolor-weights.js';
import { foldAfter, foldBefore } from './fold.js';

/** A U-Net output before its batch norm, which its consumers fold in. */
export interface Feature {
  /** [1, size, h, w]. */
  readonly value: string;
  /** The same, [1, h, w, size]. */
  readonly nhwc: string;
  readonly size: number;
  readonly affine: () => Affine;
}

/**
 * The three U-Net blocks, each: 1x1 convolution to four times the channels, pixel shuffle, blur,
 * joined with the encoder's skip, 3x3 convolution. Batch norms are folded: the one behind the 1x1
 * into it, the one behind the 3x3 into all consumers (they do not pad).
 */
export function buildFoldedUnet(context: DdcolorContext, taps: EncoderTaps): Feature[] {
  const { shape } = context;
  const features: Feature[] = [];
  let below: Feature | undefined;
  for (let block = 0; block < shape.unet.length; block++) {
    const inputs = below?.size ?? shape.widths[3]!;
    const up = upsample(context, block, below?.value ?? taps.deepest, inputs, below?.affine);
    below = merge(context, block, up, taps.skips[block]!);
    features.push(below);
  }
  return features;
}

function upsample(
  { l, w, shape }: DdcolorContext,
  block: number,
  x: string,
  inputs: number,
  before: (() => Affine) | undefined,
): string {
  const outputs = 4 * shape.unet[block]!;
  const prefix = `decoder.layers.${block}.shuf.conv`;
  const weight = takeSpectral(w, `${prefix}.0`, [outputs, inputs, 1, 1]);
  const norm = takeBatchNorm(w, `${prefix}.1`, outputs);
  const folded = () => {
    const plain = { weight: weight(), bias: new Float32Array(outputs) };
    return foldAfter(before ? foldBefore(plain, before()) : plain, norm());
  };
  const up = l.conv(
    x,
    l.g.weight(`unet${block}.up.weight`, [outputs, inputs, 1, 1], () => folded().weight),
    l.vector(`unet${block}.up.bias`, outputs, () => folded().bias),
    { kernel: 1 },
  );
  return l.shuffleAndBlur(l.relu(up), 2);
}

/** The upsampled half is a mean of ReLU outputs, so only the skip needs the reference's ReLU. */
function merge({ l, w, shape }: DdcolorContext, block: number, up: string, skip: string): Feature {
  const size = shape.unet[block]!;
  const joined = [size, size + shape.widths[2 - block]!, 3, 3] as const;
  const prefix = `decoder.layers.${block}.conv`;
  const weight = l.g.weight(
    `unet${block}.merge.weight`,
    joined,
    takeSpectral(w, `${prefix}.0`, joined),
  );
  const merged = l.conv(l.concat([up, skip], 1), weight, undefined, { kernel: 3, pad: 1 });
  const value = l.relu(merged);
  const affine = takeBatchNorm(w, `${prefix}.2`, size);
  return { value, nhwc: l.toNhwc(value), size, affine };
}
