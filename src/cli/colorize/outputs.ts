import type { Stats } from 'node:fs';
import path from 'node:path';
import type { ImageFormat } from '../../studio/ports/colorizer.js';
import { WrongUse } from '../errors.js';
import type { PhotoInput } from './inputs.js';
import { commonFolder, findClashes, hashOf, longer, type Naming, shortNaming } from './naming.js';

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

/** Where results go and what they are. */
export interface OutputOptions {
  readonly cwd: string;
  /** `-o`: a folder, or a file when one photo goes in. */
  readonly output?: string;
  /** It is a folder that is there, whatever it is called. */
  readonly outputIsFolder?: boolean;
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

/** Endings that name a picture, but none that we write. */
const unwritable = /\.(gif|bmp|heic|heif|jxl|jp2|psd|pdf|svg)$/i;

/**
 * `-o` as a file: its name ends like a picture's, and it is no folder that is there already.
 * @throws {WrongUse} where it ends like a picture that we cannot write, or several photos go in
 */
function outputIsFile(
  { output, outputIsFolder }: Pick<OutputOptions, 'output' | 'outputIsFolder'>,
  photos: number,
): boolean {
  if (output === undefined || outputIsFolder || /[\\/]$/.test(output)) return false;
  const params = { file: output, count: String(photos) };
  if (unwritable.test(output))
    throw new WrongUse(`${output} cannot be written`, 'cli.outputFormat', params);
  if (formatOf(output) === undefined) return false;
  if (photos > 1) throw new WrongUse(`${output} is one file`, 'cli.outputOneFile', params);
  return true;
}

/**
 * What `-o` names must be a folder or a picture, there or to be made.
 * @param stats of what is there.
 * @throws {WrongUse}
 */
export function refusePlace(output: string, stats: Stats | undefined): void {
  const refuse = (key: string) => {
    throw new WrongUse(`-o ${output}`, `cli.${key}`, { file: output });
  };
  if (output === '-') refuse('outputStandard');
  if (!stats || stats.isDirectory()) return;
  if (!stats.isFile()) refuse('outputSpecial');
  if (formatOf(output) === undefined && !unwritable.test(output)) refuse('outputNotFolder');
}

/**
 * Where every result goes. Without `-o`: `name-colour.ext` beside the photo. With a folder: the
 * same name below it, folders kept. Where two tasks would share a file, also on a file system that
 * ignores case, their names take more of the photo's path; no name depends on the order.
 * @throws {WrongUse}
 */
export function planOutputs(photos: readonly PhotoInput[], options: OutputOptions): PhotoTask[] {
  if (outputIsFile(options, photos.length)) return [planFile(photos[0]!, options)];
  const common = commonFolder(photos.map((photo) => path.dirname(toldPhoto(photo))));
  const namings: Naming[] = photos.map(() => shortNaming);
  for (;;) {
    const tasks = photos.map((photo, i) => {
      const output = target(photo, options, namings[i]!, common);
      return complete(photo, output, options, false);
    });
    const clashes = findClashes(tasks.map(filesOf));
    const hashed = [...clashes.keys()].every((i) => namings[i]!.hash);
    // Nothing tells apart what is still alike then: one file that was handed in twice.
    if (hashed) return tasks;
    const nameOf = (i: number) => photos[i]!.relative;
    for (const [i, others] of clashes) {
      const names = [...others].map(nameOf);
      namings[i] = longer(namings[i]!, nameOf(i), names, options.output !== undefined);
    }
  }
}

function planFile(photo: PhotoInput, options: OutputOptions): PhotoTask {
  const file = options.output!;
  if (options.format && formatOf(file) !== options.format) {
    const params = { file, format: options.format };
    throw new WrongUse(`${file} does not end like ${options.format}`, 'cli.formatMismatch', params);
  }
  return complete(photo, path.resolve(options.cwd, file), options, true);
}

function target(
  photo: PhotoInput,
  { cwd, output, format }: OutputOptions,
  naming: Naming,
  common: string,
): string {
  const original = path.extname(photo.relative);
  const wanted = format ?? formatOf(photo.relative) ?? 'jpeg';
  const extension = formatOf(photo.relative) === wanted ? original : extensionOf[wanted];
  const stem = path.basename(photo.relative, naming.extension ? '' : original);
  const name = naming.hash ? `${stem}-${hashOf(toldPhoto(photo))}` : stem;
  if (output === undefined)
    return path.join(photo.odd?.folder ?? path.dirname(photo.file), `${name}-colour${extension}`);
  const below = naming.folders ? path.relative(common, toldPhoto(photo)) : photo.relative;
  return path.resolve(cwd, output, path.dirname(below), name + extension);
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

/** A photo's path as people are told it. */
export const toldPhoto = (photo: PhotoInput): string => photo.odd?.file ?? photo.file;

/** The same of a result. */
export function toldResult({ odd }: PhotoInput, file: string): string {
  if (!odd || path.dirname(file) !== odd.folder) return file;
  return path.join(odd.toldFolder, path.basename(file));
}

function suffixed(file: string, suffix: string, extension = path.extname(file)): string {
  return path.join(
    path.dirname(file),
    path.basename(file, path.extname(file)) + suffix + extension,
  );
}
