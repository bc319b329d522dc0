import { type Command, Option } from 'commander';
import { limits } from '../studio/limits.js';
import { exitCodesHelp } from './exit-codes.js';
import { wholeIn } from './options.js';
import { type Finish, withCommonOptions } from './register.js';

const { minSizePx, maxSizePx } = limits.model;

/** The smaller commands: demo, doctor, bench, workflow. Their work is imported when they run. */
export function registerTools(program: Command, finish: Finish): void {
  registerDemo(program, finish);
  registerDoctor(program, finish);
  registerBench(program, finish);
  registerWorkflow(program, finish);
}

function registerDemo(program: Command, finish: Finish): void {
  const command = program
    .command('demo')
    .summary('colour a photograph that ships with the package')
    .description(
      'Colour a photograph that ships with the package: writes before, after and comparison.',
    )
    .option('-o, --output <folder>', 'where the three pictures go', 'huancai-demo')
    .option('--overwrite', 'replace results that are already there')
    .option('--model <id>', 'from "huancai models list", or a file')
    .option('--no-label', 'no visible label; the one inside the file is always written');
  withCommonOptions(command)
    .addHelpText('after', exitCodesHelp)
    .action(async (options) => {
      const { demo } = await import('./demo.js');
      finish(await demo(options));
    });
}

function registerDoctor(program: Command, finish: Finish): void {
  const command = program
    .command('doctor')
    .summary('check this machine and say what to do')
    .description(
      `Check Node, settings, memory, disk, image formats, fonts, models and execution providers. Every line is ok, warn or fail, and says what to do. Exits with 3 if anything fails.`,
    );
  withCommonOptions(command)
    .addHelpText('after', exitCodesHelp)
    .action(async (options) => {
      const { doctor } = await import('./doctor/run.js');
      finish(await doctor(options));
    });
}

function registerBench(program: Command, finish: Finish): void {
  const command = program
    .command('bench')
    .summary('measure this machine')
    .description(
      `Measure this machine with one model: the network alone, a whole photo from file to file, and peak memory. The photo is the demo photograph enlarged.`,
    )
    .option('--model <id>', 'from "huancai models list", or a file')
    .option('--size <px>', 'input size of the network', wholeIn(minSizePx, maxSizePx, 512))
    .option('--megapixels <n>', 'size of the photo', wholeIn(1, limits.photo.megapixels, 12), 12)
    .option('--calibrate', 'find the largest input that the graphics card takes, and keep it')
    .option('--runs <n>', 'the fastest of this many counts', wholeIn(1, 100, 5), 5);
  withCommonOptions(command)
    .addHelpText('after', exitCodesHelp)
    .action(async (options) => {
      const { bench } = await import('./bench.js');
      finish(await bench(options));
    });
}

function registerWorkflow(program: Command, finish: Finish): void {
  const workflow = program.command('workflow').description('run ComfyUI workflows');
  const command = workflow
    .command('run')
    .summary('run a workflow in ComfyUI API format')
    .description(
      `Run a workflow exported from ComfyUI with "Export (API)". Known nodes: LoadImage, DDColor_Colorize, DDColorize, ImageScale, ImageScaleBy, ImageScaleToTotalPixels, ImageCrop, ImageInvert, ImageSharpen, ImageBlur, ImageBlend, SaveImage, PreviewImage.`,
    )
    .argument('<workflow>', 'the .json file, or the name of a preset: auto, portrait, building')
    .addOption(
      new Option(
        '--image <photo>',
        'photo for LoadImage; with several: <node>=<photo>, repeated',
      ).argParser((value: string, all: string[] = []) => [...all, value]),
    )
    .option('-o, --output <folder>', 'where SaveImage writes', '.')
    .option('--model <id>', 'for checkpoints that are not installed')
    .option('--no-label', 'no visible label; the one inside the file is always written');
  withCommonOptions(command)
    .addHelpText(
      'after',
      `
Example:
  huancai workflow run portrait --image grandmother.jpg -o colour/
${exitCodesHelp}`,
    )
    .action(async (file, options) => {
      const { workflowRun } = await import('./workflow.js');
      finish(await workflowRun(file, options));
    });
}
