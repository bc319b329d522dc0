import { type Command, InvalidArgumentError, Option } from 'commander';
import { type GatewayId, gatewayIds } from '../../studio/ports/gateway.js';
import { exitCodesHelp } from '../exit-codes.js';
import { type Finish, withCommonOptions } from '../register.js';

/** reconcile: what providers say against what our books say. */
export function registerPayments(program: Command, finish: Finish): void {
  const command = program
    .command('reconcile')
    .summary("compare a day's bills with the books")
    .description(
      `Download the bill of a day from each payment provider and compare it with our books, both ways, to
the last fen. Prints every difference and exits with 1 if there is one. "huancai serve" does the
same every morning at 10:30 China time for the day before.`,
    )
    .option('--date <date>', "YYYY-MM-DD in the provider's zone; default: yesterday", day)
    .addOption(
      new Option('--gateway <id>', `${gatewayIds.join(', ')}; repeated; default: all`).argParser(
        gateways,
      ),
    )
    .option('--apply', 'mend what the provider confirms when asked again; never by the bill alone');
  withCommonOptions(command)
    .addHelpText(
      'after',
      `
Columns: provider, day, movement, theirs, ours, our numbers, what differs.
Exit code 1: a difference is left. 3: a bill is not ready yet, or the provider does not answer.
${exitCodesHelp}`,
    )
    .action(async (options) => {
      const { reconcile } = await import('./reconcile.js');
      finish(await reconcile(options));
    });
}

function day(text: string): string {
  const atMs = Date.parse(`${text}T00:00:00Z`);
  const real = /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(atMs);
  if (real && new Date(atMs).toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError('Expected a date such as 2027-01-31.');
}

function gateways(text: string, all: readonly GatewayId[] = []): readonly GatewayId[] {
  const id = gatewayIds.find((known) => known === text);
  if (!id) throw new InvalidArgumentError(`Expected one of ${gatewayIds.join(', ')}.`);
  return [...all, id];
}
