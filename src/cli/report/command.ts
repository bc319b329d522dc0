import { type Command, InvalidArgumentError, Option } from 'commander';
import { knownGrids } from '../../studio/impact/assumptions.js';
import { exitCodesHelp } from '../exit-codes.js';
import { numberIn } from '../options.js';
import { type Finish, withCommonOptions } from '../register.js';
import type { ImpactOptions } from './run.js';

const known = Object.entries(knownGrids)
  .map(([id, { kgPerKwh }]) => `${id} (${kgPerKwh})`)
  .join(', ');

/** `huancai report impact`: options and help; the work is in run.ts. */
export function registerReport(program: Command, finish: Finish): void {
  const report = program.command('report').description('what a period took');
  const impact = report
    .command('impact')
    .summary('photos, card-hours, energy and emissions of a period')
    .description(
      `Count what the studio did in a period and what it took: photos, card-hours, energy (measured at the
card where its driver tells, else rated, and said which), emissions with the grid factor named, and
how long old cards were kept at work. Every assumption is printed. Nothing is called "saved": the
comparison with new cards is made only when asked for, and named.`,
    )
    .requiredOption('--from <date>', "YYYY-MM-DD, first day, in the studio's time zone", day)
    .requiredOption('--to <date>', 'YYYY-MM-DD, last day', day)
    .addOption(
      new Option('--format <format>', 'md: Markdown, csv, html: a page to print')
        .choices(['md', 'csv', 'html'])
        .default('md'),
    )
    .option('-o, --output <file>', 'into a file; default: standard output')
    .option('--overwrite', 'replace the file if it is there')
    .option('--grid <name>', `${known}; default: the settings (impact.gridName)`, grid)
    .option('--weighed-kg <kg>', 'e-waste as you weighed it', numberIn(0, 1_000_000, 12.5))
    .option('--compare-new-card', 'also: as many new cards for the same months, as an assumption')
    .option('--organisation <name>', 'printed on the page');
  withCommonOptions(impact)
    .addHelpText('after', exitCodesHelp)
    .action(async (options: ImpactOptions) => {
      const { reportImpact } = await import('./run.js');
      finish(await reportImpact(options));
    });
}

function grid(name: string): keyof typeof knownGrids {
  if (name in knownGrids) return name as keyof typeof knownGrids;
  throw new InvalidArgumentError(`Expected one of: ${known}. Others: set impact.gridKgPerKwh.`);
}

function day(text: string): string {
  const parsed = new Date(`${text}T00:00:00Z`);
  const real = /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(parsed.getTime());
  // 2027-02-30 would silently be the 2nd of March.
  if (real && parsed.toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError('Expected a date such as 2027-01-31.');
}
