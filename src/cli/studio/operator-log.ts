import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import { time, withOffice } from './open-office.js';

/** `huancai operator log`: what operators changed, newest first. */
export function showOperatorLog(options: GlobalOptions & { limit: number }): Promise<ExitCode> {
  return withOffice(options, async ({ office, shell: { output, t } }) => {
    const lines = await office.log(options.limit);
    for (const line of lines) {
      output.record({ type: 'operatorLog', ...line });
      const { atMs, door, actor, action, subject, details } = line;
      const facts = Object.entries(details).map(([name, value]) => `${name}=${value}`);
      output.line(
        [time(atMs), `${door}:${actor}`, t(`office.log.action.${action}`), subject, ...facts]
          .filter(Boolean)
          .join('  '),
      );
    }
    if (lines.length === 0) output.line(t('office.log.none'));
    return exitCodes.done;
  });
}
