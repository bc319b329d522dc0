import { type Command, Option } from 'commander';
import { exitCodesHelp } from '../exit-codes.js';
import { wholeIn } from '../options.js';
import { type Finish, withCommonOptions } from '../register.js';
import type { ConvertCommandOptions, OptimizeCommandOptions } from './convert-run.js';

/** `huancai models convert` and `optimize`: options and help; the work is in convert-run.ts. */
export function registerConvert(models: Command, finish: Finish): void {
  registerConvertCommand(models, finish);
  registerOptimize(models, finish);
}

function registerConvertCommand(models: Command, finish: Finish): void {
  const command = models
    .command('convert')
    .summary('turn a DDColor checkpoint into ONNX')
    .description(
      `Turn a DDColor checkpoint (.pth, .safetensors) into a lean ONNX file, without Python. Nothing in
the checkpoint is ever executed. Any size of the family works: tiny, large, your own training.`,
    )
    .argument('<checkpoint>', 'the .pth or .safetensors file')
    .option('-o, --output <file>', 'the ONNX file; default: beside the checkpoint')
    .option('--overwrite', 'replace the result if it is already there')
    .option('--fp16-weights', 'store weights in half the bytes; computed with as float32')
    .option('--int8', 'quantise matrix products: faster, less exact; prints the colour difference')
    .option('--photos <files...>', 'photos to measure --int8 on; default: the demo photograph')
    .option('--heads <n>', 'attention heads, which the file does not tell', wholeIn(1, 64, 8), 8)
    .option('--ignore-extra-keys', 'accept weights the network has no place for')
    .addOption(new Option('--form <form>').choices(['folded', 'plain', 'export']).hideHelp());
  withCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  huancai models convert ddcolor_paper_tiny.pth -o tiny.onnx
  huancai models convert ddcolor_modelscope.pth --fp16-weights
  huancai models convert tiny.pth --int8 --photos a.jpg b.jpg c.jpg d.jpg e.jpg
${exitCodesHelp}`,
    )
    .action(async (checkpoint: string, options: ConvertCommandOptions) => {
      const { convertModel } = await import('./convert-run.js');
      finish(await convertModel(checkpoint, options));
    });
}

function registerOptimize(models: Command, finish: Finish): void {
  const command = models
    .command('optimize')
    .summary("make somebody's ONNX export lean")
    .description(
      `Remove what exports of DDColor carry along: spectral norm left in the graph and weights stored
twice. Old and new file run on the same random picture; unless they agree to 0.0001 the old file
stays as it is.`,
    )
    .argument('<model>', 'the ONNX file')
    .option('-o, --output <file>', 'where the lean file goes; default: in place of the old one')
    .option('--overwrite', 'replace the result if it is already there');
  withCommonOptions(command)
    .addHelpText('after', exitCodesHelp)
    .action(async (model: string, options: OptimizeCommandOptions) => {
      const { optimizeModel } = await import('./convert-run.js');
      finish(await optimizeModel(model, options));
    });
}
