import type { Command } from 'commander';
import { exitCodesHelp } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import { type Finish, withCommonOptions } from '../register.js';
import type { ImportOptions, PullCommandOptions } from './run.js';

/**
 * `huancai models`: options and help; the work is in run.ts.
 * @returns the group, for commands that join it.
 */
export function registerModels(program: Command, finish: Finish): Command {
  const models = program
    .command('models')
    .summary('list, download, check and remove models')
    .description(
      `Models that colour photographs. One ships with the package; the others are downloaded once,
checked by their sha256 and kept in the data folder.`,
    )
    .addHelpText(
      'after',
      `
Examples:
  huancai models list
  huancai models pull ddcolor-tiny          then: huancai colorize old.jpg --model ddcolor-tiny
  huancai models import /media/usb/ddcolor_modelscope.onnx
  MODEL_MIRRORS=https://oss.example.cn/models huancai models pull ddcolor-modelscope`,
    );
  registerReading(models, finish);
  registerPull(models, finish);
  registerImport(models, finish);
  registerPublish(models, finish);
  registerRemove(models, finish);
  return models;
}

function registerReading(models: Command, finish: Finish): void {
  withCommonOptions(models.command('list').description('List what is here and what can be had.'))
    .option('--installed', 'only what is here')
    .addHelpText('after', exitCodesHelp)
    .action(async (options: GlobalOptions & { installed?: boolean }) => {
      const { listModels } = await import('./run.js');
      finish(listModels(options));
    });
  withCommonOptions(models.command('info').description('Show everything known of a model.'))
    .argument('<model>', 'id from "huancai models list"')
    .addHelpText('after', exitCodesHelp)
    .action(async (id: string, options: GlobalOptions) => {
      const { modelInfo } = await import('./run.js');
      finish(modelInfo(id, options));
    });
  withCommonOptions(
    models
      .command('verify')
      .description(
        'Read models in full and compare their sha256. Without a name: all that are here.',
      ),
  )
    .argument('[models...]', 'ids from "huancai models list"')
    .addHelpText('after', exitCodesHelp)
    .action(async (ids: string[], options: GlobalOptions) => {
      const { verifyModels } = await import('./run.js');
      finish(await verifyModels(ids, options));
    });
}

function registerPull(models: Command, finish: Finish): void {
  const command = models
    .command('pull')
    .summary('download models')
    .description(
      `Download models, check them and install them. A broken download goes on where it stopped, also
in a later run. The official PyTorch checkpoints are converted on the spot.`,
    )
    .argument('<models...>', 'ids from "huancai models list"')
    .option('--force', 'download again even if it is here');
  withCommonOptions(command)
    .addHelpText(
      'after',
      `
Environment:
  MODEL_MIRRORS               base addresses tried first, separated by commas
  HUANCAI_MODEL_MIRRORS_HTTP  1 allows mirrors on plain http (a server in your own network)
  HTTPS_PROXY, NO_PROXY       as usual
${exitCodesHelp}`,
    )
    .action(async (ids: string[], options: PullCommandOptions) => {
      const { pullModels } = await import('./run.js');
      finish(await pullModels(ids, options));
    });
}

function registerImport(models: Command, finish: Finish): void {
  const command = models
    .command('import')
    .summary('install a model file you have')
    .description(
      `Install a model file you have: an ONNX network with DDColor's input and output, or a DDColor
checkpoint (.pth, .safetensors), which is converted. A file of the catalog is recognised.`,
    )
    .argument('<file>', 'the model file')
    .option('--id <name>', 'what it is called from now on; default: from the file name')
    .option('--force', 'replace an imported model of that name');
  withCommonOptions(command)
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: ImportOptions) => {
      const { importModel } = await import('./run.js');
      finish(await importModel(file, options));
    });
}

function registerPublish(models: Command, finish: Finish): void {
  const command = models
    .command('publish')
    .summary("upload models to the operator's bucket")
    .description(
      `Upload installed models to the bucket that S3_BUCKET names, from where every box with the same
settings fetches them first. A broken upload goes on where it stopped.`,
    )
    .argument('<models...>', 'ids from "huancai models list --installed"');
  withCommonOptions(command)
    .addHelpText('after', exitCodesHelp)
    .action(async (ids: string[], options: GlobalOptions) => {
      const { publishModels } = await import('./run.js');
      finish(await publishModels(ids, options));
    });
}

function registerRemove(models: Command, finish: Finish): void {
  withCommonOptions(models.command('remove').description('Delete models from the data folder.'))
    .argument('<models...>', 'ids from "huancai models list"')
    .addHelpText('after', exitCodesHelp)
    .action(async (ids: string[], options: GlobalOptions) => {
      const { removeModels } = await import('./run.js');
      finish(await removeModels(ids, options));
    });
}
