import { z } from 'zod';
import { blendImages } from './blend-node.js';
import { colorizeImage } from './colorize-node.js';
import { blurImage, sharpenImage } from './kernel-nodes.js';
import type { NodeWork } from './node-run.js';
import {
  cropImage,
  invertImage,
  scaleImage,
  scaleImageBy,
  scaleToMegapixels,
} from './scale-nodes.js';

/** A ComfyUI node we know: what goes in, what comes out, what it does. */
export interface NodeType {
  /** Names of the inputs that must be connected to an image. */
  readonly images: readonly string[];
  /** The other inputs; unknown ones are ignored, as ComfyUI's own widgets add some. */
  readonly values: z.ZodType;
  readonly output: 'image' | 'none';
  readonly work: NodeWork;
}

const method = z
  .enum(['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'])
  .default('lanczos');
const side = z.int().min(0).max(16384);

/** DeOldify-style graphs say render_factor: times 16 is the size. */
const colorize: NodeType = {
  images: ['image'],
  values: z.object({
    model_input_size: z.int().min(32).max(4096).optional(),
    size: z.int().min(32).max(4096).optional(),
    render_factor: z.int().min(2).max(256).optional(),
    checkpoint: z.string().min(1).optional(),
  }),
  output: 'image',
  work: colorizeImage,
};

const save: NodeType = {
  images: ['images'],
  values: z.object({ filename_prefix: z.string().max(200).default('ComfyUI') }),
  output: 'none',
  work: (node, run) => run.save(node),
};

/** By class name. Values, defaults and ranges are ComfyUI's own. */
export const nodeTypes: Readonly<Record<string, NodeType>> = {
  LoadImage: {
    images: [],
    values: z.object({ image: z.string().min(1) }),
    output: 'image',
    work: (node, run) => run.load(node),
  },
  DDColor_Colorize: colorize,
  DDColorize: colorize,
  ImageScale: {
    images: ['image'],
    values: z.object({
      upscale_method: method,
      width: side,
      height: side,
      crop: z.enum(['disabled', 'center']).default('disabled'),
    }),
    output: 'image',
    work: scaleImage,
  },
  ImageScaleBy: {
    images: ['image'],
    values: z.object({ upscale_method: method, scale_by: z.number().min(0.01).max(8) }),
    output: 'image',
    work: scaleImageBy,
  },
  ImageScaleToTotalPixels: {
    images: ['image'],
    values: z.object({ upscale_method: method, megapixels: z.number().min(0.01).max(16) }),
    output: 'image',
    work: scaleToMegapixels,
  },
  ImageCrop: {
    images: ['image'],
    values: z.object({ width: side.min(1), height: side.min(1), x: side, y: side }),
    output: 'image',
    work: cropImage,
  },
  ImageInvert: { images: ['image'], values: z.object({}), output: 'image', work: invertImage },
  ImageSharpen: {
    images: ['image'],
    values: z.object({
      sharpen_radius: z.int().min(1).max(31).default(1),
      sigma: z.number().min(0.1).max(10).default(1),
      alpha: z.number().min(0).max(5).default(1),
    }),
    output: 'image',
    work: sharpenImage,
  },
  ImageBlur: {
    images: ['image'],
    values: z.object({
      blur_radius: z.int().min(1).max(31).default(1),
      sigma: z.number().min(0.1).max(10).default(1),
    }),
    output: 'image',
    work: blurImage,
  },
  ImageBlend: {
    images: ['image1', 'image2'],
    values: z.object({
      blend_factor: z.number().min(0).max(1).default(0.5),
      blend_mode: z
        .enum(['normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference'])
        .default('normal'),
    }),
    output: 'image',
    work: blendImages,
  },
  SaveImage: save,
  PreviewImage: save,
};
