import path from 'node:path';
import type { ImageFormat } from '../../studio/ports/colorizer.js';
import { WrongUse } from '../errors.js';
import type { PhotoInput } from './inputs.js';

/** A photo and the files that come of it. */
export interface PhotoTask extends PhotoInput {
  /** The coloured picture; with variants, the name that they number. Absolute. */
  readonly output: string;
  readonly format: ImageFormat;
  /** before | after, if asked for. */
  readonly comparison?: string;
  /** `-1`, `-2`...: one file per variant. Empty: one picture only. */
  readonly variants: readonly string[];
  /** All variants in one picture to choose from. */
  readonly contactSheet?: string;
  /** Folder whose journal remembers this task. */
  readonly journalDir: string;
}

export interface OutputOptions {
  readonly cwd: string;
  /** `-o`: a folder, or a file when one photo goes in. */
  readonly output?: string;
  readonly format?: ImageFormat;
  readonly compare: boolean;
  readonly variants: number;
}

const extensionOf: Record<ImageFormat, string> = {
  jpeg: '.jpg',
  png: '.png',
  webp: '.webp',
  avif: '.avif',
  tiff: '.tif',
};

/** Format by file name; undefined: not one we write. */
export function formatOf(file: string): ImageFormat | undefined {
  const extension = path.extname(file).toLowerCase();
  if (/^\.(jpe?g|jpe|jfif)$/.test(extension)) return 'jpeg';
  if (/^\.tiff?$/.test(extension)) return 'tiff';
  const known: Record<string, ImageFormat> = { '.png': 'png', '.webp': 'webp', '.avif': 'avif' };
  return known[extension];
}

/** `-o` as a file: one photo goes in and the name ends like a picture's. */
export function outputIsFile(output: string | undefined, photos: number): boolean {
  return output !== undefined && photos === 1 && formatOf(output) !== undefined;
}

/**
 * Where every result goes. Without `-o`: `name-colour.ext` beside the photo. With a folder: the
 * same name below it, folders kept. Photos that differ only in extension or case keep their whole
 * name (`a.png-colour.jpg`), so that no two tasks share a file and no name depends on the order.
 */
export function planOutputs(photos: readonly PhotoInput[], options: OutputOptions): PhotoTask[] {
  const file = outputIsFile(options.output, photos.length);
  if (file && options.format && formatOf(options.output!) !== options.format) {
    const params = { file: options.output!, format: options.format };
    const detail = `${params.file} does not end like ${params.format}`;
    throw new WrongUse(detail, 'cli.formatMismatch', params);
  }
  const single = photos.map((photo) => ({ photo, target: target(photo, options, file, false) }));
  const times = new Map<string, number>();
  for (const { target } of single) {
    const identity = target.toLowerCase();
    times.set(identity, (times.get(identity) ?? 0) + 1);
  }
  return single.map(({ photo, target: short }) => {
    const clash = times.get(short.toLowerCase())! > 1;
    return complete(photo, clash ? target(photo, options, file, true) : short, options, file);
  });
}

function target(
  photo: PhotoInput,
  { cwd, output, format }: OutputOptions,
  isFile: boolean,
  wholeName: boolean,
): string {
  if (isFile) return path.resolve(cwd, output!);
  const original = path.extname(photo.relative);
  const wanted = format ?? formatOf(photo.relative) ?? 'jpeg';
  const extension = formatOf(photo.relative) === wanted ? original : extensionOf[wanted];
  const name = wholeName ? path.basename(photo.relative) : path.basename(photo.relative, original);
  if (output === undefined)
    return path.join(path.dirname(photo.file), `${name}-colour${extension}`);
  return path.resolve(cwd, output, path.dirname(photo.relative), name + extension);
}

function complete(
  photo: PhotoInput,
  output: string,
  options: OutputOptions,
  isFile: boolean,
): PhotoTask {
  const numbers =
    options.variants > 1 ? Array.from({ length: options.variants }, (_, i) => i + 1) : [];
  return {
    ...photo,
    output,
    format: formatOf(output) ?? 'jpeg',
    comparison: options.compare ? suffixed(output, '-compare') : undefined,
    variants: numbers.map((number) => suffixed(output, `-${number}`)),
    contactSheet: numbers.length > 0 ? suffixed(output, '-variants', '.jpg') : undefined,
    journalDir:
      options.output === undefined || isFile
        ? path.dirname(output)
        : path.resolve(options.cwd, options.output),
  };
}

/** Every file that a task writes. */
export function filesOf(task: PhotoTask): string[] {
  const pictures = task.variants.length > 0 ? task.variants : [task.output];
  return [...pictures, task.contactSheet, task.comparison].filter((file) => file !== undefined);
}

function suffixed(file: string, suffix: string, extension = path.extname(file)): string {
  return path.join(
    path.dirname(file),
    path.basename(file, path.extname(file)) + suffix + extension,
  );
}
