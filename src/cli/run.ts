import { CommanderError } from 'commander';
import { describeError, errorRecord, exitCodeOf } from './errors.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { createProgram } from './program.js';
import { translateWrongUse } from './wrong-use.js';

/**
 * Run one command.
 * @param argv as process.argv.
 * @returns the exit code; everything a person should read has been printed.
 */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = createProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      await report(error, argv);
      return exitCodeOf(error);
    }
    // Help has been printed: it was asked for, or a command was left out.
    if (error.exitCode === 0) return exitCodes.done;
    if (error.code !== 'commander.help') await report(error, argv);
    return exitCodes.wrongUse;
  }
}

/** Errors may come before settings and messages are there: load what reporting needs now. */
async function report(error: unknown, argv: readonly string[]): Promise<void> {
  const { chooseLanguage } = await import('./messages.js');
  const { openMessages } = await import('./open-shell.js');
  const asked = argv[argv.indexOf('--lang') + 1];
  const t = openMessages(chooseLanguage(argv.includes('--lang') ? asked : undefined, process.env));
  const shown = error instanceof CommanderError ? translateWrongUse(error, t) : error;
  if (argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ type: 'error', error: errorRecord(shown, t) })}\n`);
  } else {
    process.stderr.write(`huancai: ${describeError(shown, t)}\n`);
    if (process.env['HUANCAI_DEBUG'] && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
  }
}
