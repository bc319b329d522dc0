import type { KernelEnum, Sharp } from 'sharp';
import { PhotoTooLarge } from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import { type NodeWork, openPicture, type Picture, writePicture } from './node-run.js';

/** `area` has no kernel of its own: linear with libvips' box shrink before it comes closest. */
const kernels: Record<string, keyof KernelEnum> = {
  'nearest-exact': 'nearest',
  bilinear: 'linear',
  area: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
};

/** ImageScale: a side of 0 follows the other one. */
export const scaleImage: NodeWork = async (node, run) => {
  const image = run.picture(node, 'image');
  const { widthPx, heightPx } = image;
  let width = Number(node.values['width']);
  let height = Number(node.values['height']);
  if (width === 0 && height === 0) return image;
  if (width === 0) width = Math.max(1, Math.round((widthPx * height) / heightPx));
  if (height === 0) height = Math.max(1, Math.round((heightPx * width) / widthPx));
  const fit = node.values['crop'] === 'center' ? 'cover' : 'fill';
  return writePicture(
    run,
    await resized(image, width, height, node.values['upscale_method']!, fit),
    image.bitDepth,
  );
};

/** ImageScaleBy: both sides times a factor, at least 1 px. */
export const scaleImageBy: NodeWork = async (node, run) => {
  const image = run.picture(node, 'image');
  const factor = Number(node.values['scale_by']);
  const width = Math.max(1, Math.round(image.widthPx * factor));
  const height = Math.max(1, Math.round(image.heightPx * factor));
  const scaled = await resized(image, width, height, node.values['upscale_method']!);
  return writePicture(run, scaled, image.bitDepth);
};

/** ComfyUI's megapixel is 1024 x 1024. */
export const scaleToMegapixels: NodeWork = async (node, run) => {
  const image = run.picture(node, 'image');
  const pixels = Number(node.values['megapixels']) * 1024 * 1024;
  const factor = Math.sqrt(pixels / (image.widthPx * image.heightPx));
  const width = Math.max(1, Math.round(image.widthPx * factor));
  const height = Math.max(1, Math.round(image.heightPx * factor));
  const scaled = await resized(image, width, height, node.values['upscale_method']!);
  return writePicture(run, scaled, image.bitDepth);
};

/** Clamped to the picture, as ComfyUI does. */
export const cropImage: NodeWork = (node, run) => {
  const image = run.picture(node, 'image');
  const left = Math.min(Number(node.values['x']), image.widthPx - 1);
  const top = Math.min(Number(node.values['y']), image.heightPx - 1);
  const width = Math.min(Number(node.values['width']), image.widthPx - left);
  const height = Math.min(Number(node.values['height']), image.heightPx - top);
  const cut = openPicture(image).extract({ left, top, width, height });
  return writePicture(run, cut, image.bitDepth);
};

/** ImageInvert: 255 minus each channel. */
export const invertImage: NodeWork = (node, run) => {
  const image = run.picture(node, 'image');
  return writePicture(run, openPicture(image).negate({ alpha: false }), image.bitDepth);
};

async function resized(
  image: Picture,
  width: number,
  height: number,
  method: string | number,
  fit: 'fill' | 'cover' = 'fill',
): Promise<Sharp> {
  const megapixels = (width * height) / 1e6;
  if (megapixels > limits.photo.megapixels) {
    throw new PhotoTooLarge(Math.ceil(megapixels), limits.photo.megapixels);
  }
  return openPicture(image).resize(width, height, { fit, kernel: kernels[method]! });
}
