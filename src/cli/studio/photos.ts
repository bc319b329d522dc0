import type { Operator } from '../../studio/ports/operator.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { time, withOffice } from './open-office.js';

const photosShown = 50;

/** `huancai photo show`. @param name of a photo, or of a customer: then all of theirs */
export function showPhoto(name: string, options: GlobalOptions): Promise<ExitCode> {
  return withOffice(options, async ({ office, shell }) => {
    const ids = await office.photosNamed(name, photosShown);
    for (const id of ids) await printPhoto(office, shell, id);
    if (ids.length === 0) shell.output.line(shell.t('office.photos.none'));
    return exitCodes.done;
  });
}

async function printPhoto(office: Operator, { output, t }: Shell, id: string): Promise<void> {
  const { view, timeline } = await office.photo(id);
  const entries = timeline.map(({ atMs, event, details }) => ({ atMs, event, details }));
  output.record({ type: 'photo', ...view, timeline: entries });
  const size = view.widthPx ? `${view.widthPx} x ${view.heightPx}` : '';
  output.line(`${id}  ${view.status}  ${size}  ${view.preset}  ${view.customerId}`);
  for (const look of view.looks) {
    const seconds = look.seconds === undefined ? '' : `${look.seconds.toFixed(2)} s`;
    const mark = look.id === view.selectedLookId ? '*' : ' ';
    output.line(
      `${mark} ${look.id}  ${look.state}  ${look.model}  ${look.provider ?? ''}  ${seconds}`,
    );
  }
  for (const { atMs, event, details } of entries) {
    const { worker } = details;
    const where = worker === undefined ? '' : `  (${worker})`;
    output.line(`  ${time(atMs)}  ${t(`timeline.${event}`, details)}${where}`);
  }
  if (view.error) output.line(t(view.error.messageKey, view.error.params));
}

/** `huancai erase`. */
export function erase(customer: string, options: GlobalOptions): Promise<ExitCode> {
  return withOffice(options, async ({ office, by, shell: { output, t } }) => {
    await office.erase(by, customer);
    output.record({ type: 'erased', customer });
    output.line(t('office.erased', { customer }));
    return exitCodes.done;
  });
}
