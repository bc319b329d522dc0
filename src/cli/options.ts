import { InvalidArgumentError } from 'commander';
import type { ImageFormat } from '../studio/ports/colorizer.js';

/** Option parser: a number in a range. The message is commander's to finish. */
export function numberIn(min: number, max: number, example: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}, such as ${example}.`);
  };
}

export function wholeIn(min: number, max: number, example: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      `Expected a whole number from ${min} to ${max}, such as ${example}.`,
    );
  };
}

/** `512` or `384,512,640`. */
export function wholeListIn(min: number, max: number, example: string) {
  const one = wholeIn(min, max, Number.parseInt(example, 10));
  return (text: string): number[] => text.split(',').map((part) => one(part.trim()));
}

const formats: Readonly<Record<string, ImageFormat>> = {
  ...{ jpeg: 'jpeg', jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', png: 'png', webp: 'webp' },
  ...{ avif: 'avif', tiff: 'tiff', tif: 'tiff' },
};

/** A picture format as people call it: `jpg`, `.TIF`, `jpeg`. */
export function imageFormat(text: string): ImageFormat {
  const format = formats[text.toLowerCase().replace(/^\./, '')];
  if (format) return format;
  throw new InvalidArgumentError('Expected one of jpeg, jpg, png, webp, avif, tiff, tif.');
}

/** `starter` or `starter,ddcolor-modelscope`. */
export function list(text: string): string[] {
  const values = text.split(',').map((part) => part.trim());
  if (values.includes('')) throw new InvalidArgumentError('Expected names separated by commas.');
  return values;
}
