import { Command, Help, type Option } from 'commander';
import { registerColorize } from './colorize/command.js';
import { exitCodesHelp } from './exit-codes.js';
import { registerModels } from './models/command.js';
import { registerConvert } from './models/convert-commands.js';
import { registerPayments } from './payments/command.js';
import type { Finish } from './register.js';
import { registerReport } from './report/command.js';
import { registerServe } from './serve/command.js';
import { registerOffice } from './studio/command.js';
import { registerTools } from './tools.js';
import { version } from './version.js';

/**
 * The whole command line. Only descriptions and options are loaded here; what a command does is
 * imported when it runs, so that `--help` answers at once.
 */
export function createProgram(finish: Finish): Command {
  const program = new Command('huancai')
    .description('Huancai (焕彩): natural colour for old photographs, on your own machine.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError()
    // Broken where the source breaks them, descriptions would be broken again by the screen.
    .configureHelp({
      commandDescription: (command) => oneLine(command.description()),
      subcommandDescription: (command) => oneLine(command.summary() || command.description()),
      optionDescription,
    })
    .exitOverride()
    // A wrong command line is reported by run.ts, in the reader's language.
    .configureOutput({ outputError: () => {} })
    .addHelpText(
      'after',
      `
Examples:
  huancai colorize grandmother.jpg              writes grandmother-colour.jpg
  huancai colorize scans/ --recursive -o colour/
  huancai demo                                  colours a photograph that ships with the package
  huancai doctor                                what this machine can do, and what is missing
${exitCodesHelp}`,
    );
  registerColorize(program, finish);
  registerConvert(registerModels(program, finish), finish);
  registerServe(program, finish);
  registerOffice(program, finish);
  registerPayments(program, finish);
  registerReport(program, finish);
  registerTools(program, finish);
  return program;
}

/** Paragraphs stay. */
const oneLine = (text: string) => text.replace(/(?<!\n)\n(?!\n)/g, ' ');

/** Commander calls the amount of an option given without one "preset": here that is an option. */
function optionDescription(option: Option): string {
  const { presetArg } = option;
  const shown = Object.assign(Object.create(option), { presetArg: undefined });
  const description = Help.prototype.optionDescription(shown);
  return presetArg === undefined ? description : `${description} (${presetArg} if you name none)`;
}
