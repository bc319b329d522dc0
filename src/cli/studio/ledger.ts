import { auditChecks, auditLedger } from '../../storage/audit.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { openStudioDatabase } from '../open-queue.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { slowNotice } from '../slow-notice.js';

/** `huancai ledger audit`. @returns someFailed when a row does not fit. */
export async function audit(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { output, t } = shell;
  const database = await openStudioDatabase(shell);
  try {
    const slow = slowNotice(shell.now);
    const of = auditChecks.length;
    const findings = await auditLedger(database.raw, (check, done) =>
      slow(() => output.notice(t('office.audit.under', { check, done, of }))),
    );
    for (const { check, subject, details } of findings) {
      output.record({ type: 'finding', check, subject, ...details });
      const facts = Object.entries(details).map(([name, value]) => `${name}=${value}`);
      output.line(`${check}: ${subject}  ${facts.join(' ')}`);
    }
    const counts = { checks: auditChecks.length, findings: findings.length };
    output.record({ type: 'audit', ok: findings.length === 0, ...counts });
    output.line(t(findings.length === 0 ? 'office.audit.clean' : 'office.audit.broken', counts));
    return findings.length === 0 ? exitCodes.done : exitCodes.someFailed;
  } finally {
    await database.close();
  }
}
