import {
  type NodeRun,
  type NodeWork,
  openPicture,
  type Picture,
  writePicture,
} from './node-run.js';

/** out = in + 10 alpha (in - blur): ComfyUI's kernel, its factor ten included. */
export const sharpenImage: NodeWork = (node, run) => {
  const radius = Number(node.values['sharpen_radius']);
  const amount = 10 * Number(node.values['alpha']);
  const kernel = gaussian(radius, Number(node.values['sigma'])).map((weight) => -amount * weight);
  kernel[(kernel.length - 1) / 2]! += 1 + amount;
  return convolve(run.picture(node, 'image'), radius, kernel, run);
};

/** ImageBlur: a Gaussian of the node's radius and sigma. */
export const blurImage: NodeWork = (node, run) => {
  const radius = Number(node.values['blur_radius']);
  const kernel = gaussian(radius, Number(node.values['sigma']));
  return convolve(run.picture(node, 'image'), radius, kernel, run);
};

/** ComfyUI's: sigma is in units of the radius, not of pixels. Sums to 1. */
function gaussian(radius: number, sigma: number): number[] {
  const side = 2 * radius + 1;
  const weights = Array.from({ length: side * side }, (_, i) => {
    const x = (i % side) / radius - 1;
    const y = Math.floor(i / side) / radius - 1;
    return Math.exp(-(x * x + y * y) / (2 * sigma * sigma));
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function convolve(picture: Picture, radius: number, kernel: number[], run: NodeRun) {
  const side = 2 * radius + 1;
  // libvips divides by `scale`; the kernel is normalised already.
  const options = { width: side, height: side, kernel, scale: 1 };
  return writePicture(run, openPicture(picture).convolve(options), picture.bitDepth);
}
