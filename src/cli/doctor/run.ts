import { type ExitCode, exitCodes } from '../exit-codes.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { checkChannels } from './channels.js';
import type { Check, Finding } from './check.js';
import { checkFormats, checkInstalled, checkLabelFont, checkModel } from './engine.js';
import { checkCards } from './gpu.js';
import { checkDisk, checkMemory, checkNode, checkProcessor } from './machine.js';
import { checkPayments } from './payments.js';

/** In the order of the report. Settings come first by themselves: without them nothing runs. */
const checks: readonly Check[] = [
  checkNode,
  checkProcessor,
  checkMemory,
  checkDisk,
  checkCards,
  checkFormats,
  checkLabelFont,
  checkInstalled,
  checkModel,
  checkChannels,
  checkPayments,
];

/** `huancai doctor`: a check that throws is a finding, never the end of the report. */
export async function doctor(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const findings: Finding[] = [];
  for (const check of checks) {
    const found = await check(shell).catch((error: Error): Finding[] => [
      {
        name: nameOf(check),
        status: 'fail',
        key: 'doctor.broken',
        params: { reason: error.message },
      },
    ]);
    findings.push(...found);
    for (const finding of found) {
      const message = shell.t(finding.key, finding.params);
      shell.output.record({ type: 'check', name: finding.name, status: finding.status, message });
      shell.output.line(`${finding.status.padEnd(4)}  ${finding.name.padEnd(10)}  ${message}`);
    }
  }
  const failed = findings.filter((finding) => finding.status === 'fail').length;
  const warned = findings.filter((finding) => finding.status === 'warn').length;
  shell.output.record({ type: 'summary', failed, warned });
  shell.output.line(shell.t(failed > 0 ? 'doctor.sick' : 'doctor.well', { failed, warned }));
  return failed > 0 ? exitCodes.environment : exitCodes.done;
}

/** `checkLabelFont` -> `labelFont`: what a report calls a check that broke. */
function nameOf({ name }: Check): string {
  const bare = name.replace(/^check/, '');
  return bare.charAt(0).toLowerCase() + bare.slice(1);
}
