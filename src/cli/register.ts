import { type Command, Option } from 'commander';
import type { ExitCode } from './exit-codes.js';

/** Told by a command that ran to its end how it went. */
export type Finish = (code: ExitCode) => void;

/** `--lang` and `--json`, understood by every command that prints results. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--lang <language>', 'language of messages; default: the locale').choices([
        'en',
        'zh-CN',
      ]),
    )
    .option('--json', 'one JSON object per line on standard output, for machines');
}
