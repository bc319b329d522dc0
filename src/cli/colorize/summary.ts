import path from 'node:path';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { Shell } from '../shell.js';
import type { PhotoOutcome } from './batch.js';
import type { FoundInputs } from './inputs.js';
import { toldPhoto } from './outputs.js';
import { outcomeLine } from './progress.js';
import { countKinds, foundLines } from './tell-found.js';

/** What remains on the screen: how many, how long, and every failure with its reason. */
export function printSummary(
  outcomes: readonly PhotoOutcome[],
  found: FoundInputs,
  seconds: number,
  shell: Shell,
): void {
  const { output, t } = shell;
  const counts = count(outcomes);
  const damaged = outcomes.filter(({ damage }) => damage !== undefined);
  output.record({
    type: 'summary',
    photos: outcomes.length,
    ...counts,
    damaged: damaged.length,
    leftAlone: Object.fromEntries(countKinds(found.leftAlone)),
    foldersNotSearched: found.notSearched.length,
    foldersLocked: found.locked.length,
    seconds: round(seconds),
  });
  // With plain lines each failure stands where it happened; the end of a long log names it again.
  const failed = outcomes.filter((outcome) => outcome.status === 'failed');
  if (outcomes.length > 1 || output.terminal) {
    for (const outcome of failed) output.notice(outcomeLine(outcome, shell));
  }
  if (output.terminal && outcomes.length === 1 && counts.done === 1) {
    output.line(outcomeLine(outcomes[0]!, shell));
    for (const note of outcomes[0]!.notes) output.line(`  ${t(note.key, note.params)}`);
  }
  const parts = Object.entries(counts)
    .filter(([name, count]) => count > 0 || name === 'done')
    .map(([name, count]) => t(`cli.summary.${name}`, { count }));
  output.line(
    t('cli.summary.total', {
      parts: parts.join(t('cli.summary.between')),
      seconds: round(seconds),
    }),
  );
  if (damaged.length > 0) output.line(damagedText(damaged, shell));
  for (const line of foundLines(found, shell)) output.line(line);
  if (counts.cancelled > 0) output.line(t('cli.summary.resume'));
  const exists = failed.some(({ error }) => (error as { code?: string }).code === 'OUTPUT_EXISTS');
  if (exists) output.line(t('cli.summary.exists'));
}

/** "2 damaged and coloured as far as they go: a.jpg (21 % missing), b.jpg". */
function damagedText(damaged: readonly PhotoOutcome[], { t, cwd }: Shell): string {
  // Outcomes come as photos are done; the sentence keeps the order of the names, run for run.
  const named = damaged.map(({ task, damage }) => ({
    photo: path.relative(cwd, toldPhoto(task)),
    percent: damage?.missingPercent ?? 0,
  }));
  const photos = named
    .toSorted((one, other) => (one.photo < other.photo ? -1 : 1))
    .map(({ photo, percent }) =>
      percent > 0 ? t('cli.summary.damagedPhoto', { photo, percent }) : photo,
    );
  const list = photos.join(t('cli.summary.between'));
  return t('cli.summary.damaged', { count: damaged.length, photos: list });
}

/** Interrupted beats failed: a stopped run has not seen all photos. */
export function exitCodeFor(
  outcomes: readonly PhotoOutcome[],
  { locked }: Pick<FoundInputs, 'locked'>,
): ExitCode {
  const { failed, cancelled } = count(outcomes);
  if (cancelled > 0) return exitCodes.interrupted;
  return failed > 0 || locked.length > 0 ? exitCodes.someFailed : exitCodes.done;
}

function count(outcomes: readonly PhotoOutcome[]) {
  const of = (status: PhotoOutcome['status']) =>
    outcomes.filter((outcome) => outcome.status === status).length;
  return {
    done: of('done'),
    skipped: of('skipped'),
    failed: of('failed'),
    cancelled: of('cancelled'),
  };
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;
