import { type Command, Option } from 'commander';
import { limits } from '../../studio/limits.js';
import { exitCodesHelp } from '../exit-codes.js';
import { imageFormat, list, numberIn, wholeIn, wholeListIn } from '../options.js';
import { type Finish, withCommonOptions } from '../register.js';
import type { ColorizeOptions } from './plan-recipe.js';

const { minSizePx, maxSizePx } = limits.model;

/** `huancai colorize`: options and help; the work is in run.ts. */
export function registerColorize(program: Command, finish: Finish): void {
  const command = program
    .command('colorize')
    .summary('colour photographs')
    .description(
      `Colour photographs: files, folders and globs, in full resolution.

All graphics cards that CUDA can use share the photos (inference.deviceId names other ones). Without -o the result lies beside the photo as name-colour.ext. Nothing is overwritten unless you say so, and one bad file never stops the others. Colour photographs work too: their own colour is ignored.`,
    )
    .argument('<photos...>', 'files, folders, globs (quote them: "scans/**/*.tif")');
  addPlaces(command);
  addColour(command);
  addFinishing(command);
  withCommonOptions(command)
    .addHelpText('after', `${examples}\n${exitCodesHelp}`)
    .action(async (photos: string[], options: ColorizeOptions) => {
      const { colorize } = await import('./run.js');
      finish(await colorize(photos, options));
    });
}

const presetHelp =
  "input size by subject: portrait 512, building 960, auto the model's own (never above the photo's)";

const examples = `
Examples:
  huancai colorize old.jpg --compare                also writes before | after in one picture
  huancai colorize album/ -o colour/ --recursive    keeps the folders
  huancai colorize album/ -o colour/ --resume       goes on where a stopped run was
  huancai colorize scans/ -r -o colour/ --manifest colour/archive --contact-sheet sheet/
  huancai colorize scans/ -r -o colour/ --fleet     on other boxes (docs/fleet.md)
  huancai colorize old.jpg --variants 4             four ways to colour it, and a sheet to choose from
  huancai colorize old.jpg --strength 0.8 --warmth 0.2 --sharpen

Ctrl-C finishes cleanly: half-written files are removed and --resume continues. Twice stops at once.`;

function addPlaces(command: Command): void {
  command
    .option(
      '-o, --output <path>',
      'folder for the results (folders of the input are kept), or one file',
    )
    .option('-r, --recursive', 'search folders inside folders')
    .option('--resume', 'continue a stopped run; finished photos are recognised by content')
    .option(
      '--fleet',
      'let the workers of a studio colour: needs REDIS_URL and the place of photos',
    )
    .option('--strict', 'refuse damaged photos instead of colouring what is left of them')
    .option('--overwrite', 'replace results that are already there')
    .option(
      '--concurrency <n>',
      'photos at a time; default: 2, or one more than there are cards; more with --fleet',
      wholeIn(1, 64, 2),
    )
    .option(
      '--manifest <file>',
      'write down every photo: <file>.jsonl as it goes, <file>.csv at the end',
    )
    .option('--contact-sheet <folder>', 'make a page with before and after of every photo')
    .option('--compare', 'also write before | after in one picture')
    .option(
      '--variants <n>',
      'several ways to colour each photo, and a contact sheet',
      wholeIn(1, 16, 4),
      1,
    )
    .option('--seed <n>', 'other finishings for the variants', wholeIn(0, 2 ** 31, 1), 1)
    .addOption(
      new Option(
        '--format <format>',
        'jpeg (jpg), png, webp, avif or tiff (tif); default: the format of the photo',
      ).argParser(imageFormat),
    )
    .option('--quality <n>', 'of JPEG, WebP and AVIF, 1-100', wholeIn(1, 100, 92), 92)
    .option('--label <text>', 'visible AI label in the corner; default: the settings (AI 合成)')
    .option('--no-label', 'no visible label; the one inside the file is always written');
}

function addColour(command: Command): void {
  const sizes = wholeListIn(minSizePx, maxSizePx, '512');
  command
    .addOption(
      new Option('--preset <name>', presetHelp)
        .choices(['auto', 'portrait', 'building'])
        .default('auto'),
    )
    .option(
      '--size <px>',
      `input size of the network, ${minSizePx}-${maxSizePx}; a list with --variants`,
      sizes,
    )
    .option('--model <id>', 'from "huancai models list", or a file; a list with --variants', list)
    .addOption(
      new Option('--fit <how>', 'how a photo meets a square network').choices([
        'stretch',
        'letterbox',
        'aspect',
      ]),
    )
    .addOption(
      new Option(
        '--upsampling <how>',
        'of the colour plane; guided keeps colour inside edges',
      ).choices(['guided', 'bilinear', 'reference']),
    );
}

/** An option without its amount takes the usual one, which commander's help calls the preset. */
function addFinishing(command: Command): void {
  const finishing = (name: string, what: string, max: number, usual: number) =>
    command.addOption(
      new Option(`--${name} [amount]`, `${what}, 0-${max}`)
        .argParser(numberIn(0, max, usual))
        .preset(String(usual)),
    );
  command
    .option('--strength <n>', 'how colourful, 0 (grey) to 1.5; default 1', numberIn(0, 1.5, 0.8))
    .option('--warmth <n>', '-1 (cooler) to 1 (warmer); default 0', numberIn(-1, 1, 0.2));
  finishing('white-balance', 'remove a colour cast', 1, 0.5);
  finishing('denoise', 'reduce noise in the lightness', 1, 0.3);
  finishing('sharpen', 'sharpen the lightness', 2, 0.5);
  finishing('contrast', 'local contrast', 1, 0.3);
}
