import sharp from 'sharp';
import { type NodeWork, openPicture, type Picture, writePicture } from './node-run.js';

/** Channel values 0..1: the picture below, the one above. */
const modes: Readonly<Record<string, (below: number, above: number) => number>> = {
  normal: (_below, above) => above,
  multiply: (below, above) => below * above,
  screen: (below, above) => 1 - (1 - below) * (1 - above),
  overlay: (below, above) => (below <= 0.5 ? 2 * below * above : 1 - 2 * (1 - below) * (1 - above)),
  soft_light: (below, above) =>
    above <= 0.5
      ? below - (1 - 2 * above) * below * (1 - below)
      : below + (2 * above - 1) * (softLightCurve(below) - below),
  difference: (below, above) => below - above,
};

function softLightCurve(x: number): number {
  return x <= 0.25 ? ((16 * x - 12) * x + 4) * x : Math.sqrt(x);
}

/**
 * ImageBlend: image2 laid over image1, image2 first scaled and cropped to image1's size. The 256 x
 * 256 possible answers of 8 bits are a table, so that a large scan costs one look-up per value.
 */
export const blendImages: NodeWork = async (node, run) => {
  const first = run.picture(node, 'image1');
  const second = run.picture(node, 'image2');
  const mode = modes[String(node.values['blend_mode'])]!;
  const factor = Number(node.values['blend_factor']);
  const raw = { width: first.widthPx, height: first.heightPx, channels: 3 } as const;
  const deep = first.bitDepth === 16 || second.bitDepth === 16;
  const below = await pixels(first, first, deep ? 16 : 8);
  const above = await pixels(second, first, deep ? 16 : 8);
  const blended = deep
    ? blendWords(asWords(below), asWords(above), mode, factor)
    : blendBytes(below, above, blendTable(mode, factor));
  const pipeline = sharp(blended, { raw, limitInputPixels: false });
  return writePicture(run, deep ? pipeline.toColourspace('rgb16') : pipeline, deep ? 16 : 8);
};

function blendBytes(below: Buffer, above: Buffer, table: Uint8Array): Buffer {
  for (let i = 0; i < below.length; i++) below[i] = table[(below[i]! << 8) | above[i]!]!;
  return below;
}

type Mode = (below: number, above: number) => number;

function blendWords(below: Uint16Array, above: Uint16Array, mode: Mode, factor: number) {
  for (let i = 0; i < below.length; i++) {
    const under = below[i]! / 65_535;
    const mixed = under * (1 - factor) + mode(under, above[i]! / 65_535) * factor;
    below[i] = Math.round(Math.min(1, Math.max(0, mixed)) * 65_535);
  }
  return below;
}

const asWords = (bytes: Buffer) =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);

function blendTable(mode: Mode, factor: number): Uint8Array {
  const table = new Uint8Array(65536);
  for (let i = 0; i < table.length; i++) {
    const below = (i >> 8) / 255;
    const mixed = below * (1 - factor) + mode(below, (i & 255) / 255) * factor;
    table[i] = Math.round(Math.min(1, Math.max(0, mixed)) * 255);
  }
  return table;
}

/** RGB rows of a picture at another one's size. */
function pixels(image: Picture, size: Picture, bitDepth: 8 | 16): Promise<Buffer> {
  return openPicture(image, bitDepth)
    .resize(size.widthPx, size.heightPx, { fit: 'cover', kernel: 'cubic' })
    .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer();
}
