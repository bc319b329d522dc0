import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import { withOffice } from './open-office.js';

/** `huancai codes create`: the codes on standard output, one a line, the rest beside it. */
export function createCodes(
  options: GlobalOptions & { credits: number; count: number; batch: string; expires?: number },
): Promise<ExitCode> {
  return withOffice(options, async ({ office, by, shell: { output, t } }) => {
    const { credits, count, batch, expires } = options;
    const expiresMs = expires ?? null;
    const codes = await office.createCodes(by, { credits, count, batch, expiresMs });
    for (const code of codes) {
      output.record({ type: 'code', code, credits, batch, expiresMs });
      output.line(code);
    }
    output.notice(t('office.codes.created', { count: codes.length, credits }));
    return exitCodes.done;
  });
}
