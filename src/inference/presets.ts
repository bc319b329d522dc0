import { readFileSync } from 'node:fs';
import path from 'node:path';
import { limits } from '../studio/limits.js';
import { parseWorkflow } from './workflow/graph.js';

/** Presets by name; `auto` is the default. */
export const presetNames = ['auto', 'portrait', 'building'] as const;

/** Name of a preset. */
export type PresetName = (typeof presetNames)[number];

/** What a preset decides. */
export interface Preset {
  readonly name: PresetName;
  /** Input size of the network; undefined: chosen by `presetSizePx`. */
  readonly sizePx?: number;
}

/** Input size that a model is made for, px; `fixed`: its graph takes no other. */
export interface ModelSize {
  readonly sizePx: number;
  readonly fixed: boolean;
}

/**
 * A preset is a workflow, `<dir>/<name>.json`, that runs in ComfyUI too; what a preset decides is
 * the size its colouring node asks for.
 */
export function readPreset(dir: string, name: PresetName): Preset {
  const file = path.join(dir, `${name}.json`);
  const { nodes } = parseWorkflow(readFileSync(file, 'utf8'), file);
  const size = nodes.map((node) => node.values['model_input_size']).find((value) => value != null);
  return { name, sizePx: size === undefined ? undefined : Number(size) };
}

/**
 * `auto` is a plain rule: the model's own size, which is the one it was judged at, but no larger
 * than the photo, for pixels that are not there cannot help. It does not guess the subject: on the
 * training photographs the direction of edges told buildings from people hardly better than a coin.
 * @returns px, a multiple of 32.
 */
export function presetSizePx(
  preset: Preset,
  photo: { readonly widthPx: number; readonly heightPx: number },
  own: ModelSize,
): number {
  if (own.fixed) return own.sizePx;
  if (preset.sizePx !== undefined) return preset.sizePx;
  const { stridePx } = limits.model;
  const longEdgePx = Math.max(photo.widthPx, photo.heightPx);
  const photoSizePx = Math.ceil(longEdgePx / stridePx) * stridePx;
  return Math.min(own.sizePx, Math.max(photoSizePx, smallestUsefulPx));
}

/** All DDColor models were trained at 256 px; below it they see less than they were taught on. */
const smallestUsefulPx = 256;
