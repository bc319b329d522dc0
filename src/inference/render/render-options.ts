import { RenderOptionInvalid } from '../../studio/errors/index.js';
import type { ImageFormat, RenderOptions } from '../../studio/ports/colorizer.js';

/** Range of each number in RenderOptions, and the value that changes nothing (or the default). */
const RANGES = {
  strength: { min: 0, max: 1.5, neutral: 1 },
  warmth: { min: -1, max: 1, neutral: 0 },
  whiteBalance: { min: 0, max: 1, neutral: 0 },
  denoise: { min: 0, max: 1, neutral: 0 },
  sharpen: { min: 0, max: 2, neutral: 0 },
  contrast: { min: 0, max: 1, neutral: 0 },
  quality: { min: 1, max: 100, neutral: 92 },
} as const;

const MIN_LONG_EDGE_PX = 32;
const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'avif', 'tiff'];
const UPSAMPLING = ['guided', 'bilinear', 'reference'] as const;
const LAYOUTS = ['colour', 'comparison'] as const;

/** Every finishing with its default in place. */
export type FinishingValues = { readonly [K in keyof typeof RANGES]: number };

/** Every number present and in range. @throws {RenderOptionInvalid} naming the first that is not */
export function checkedOptions(options: RenderOptions): FinishingValues {
  const values = Object.entries(RANGES).map(([name, { min, max, neutral }]) => {
    const value = options[name as keyof typeof RANGES] ?? neutral;
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw new RenderOptionInvalid(name, String(value), `${min} .. ${max}`);
    return [name, value] as const;
  });
  checkEdge(options.longEdgePx);
  checkChoice('format', options.format, FORMATS);
  checkChoice('upsampling', options.upsampling, UPSAMPLING);
  checkChoice('layout', options.layout, LAYOUTS);
  for (const name of ['producer', 'produceId'] as const)
    if (!options.label?.[name]) throw new RenderOptionInvalid(`label.${name}`, '', 'a name');
  return Object.fromEntries(values) as FinishingValues;
}

function checkEdge(value: number | undefined): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= MIN_LONG_EDGE_PX))
    throw new RenderOptionInvalid('longEdgePx', String(value), `${MIN_LONG_EDGE_PX} or more`);
}

function checkChoice(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value))
    throw new RenderOptionInvalid(name, value, allowed.join(', '));
}
