import path from 'node:path';
import { describeError, errorRecord, FolderLocked } from '../errors.js';
import type { Shell } from '../shell.js';
import type { FoundInputs } from './inputs.js';
import { type LeftAlone, wordedKinds } from './look-at-file.js';

/** Say at once what will not be coloured: locked folders to people, everything to machines. */
export function tellFound(found: FoundInputs, { output, t }: Shell): void {
  for (const { file, kind } of found.leftAlone) output.record({ type: 'leftAlone', file, kind });
  for (const folder of found.notSearched)
    output.record({ type: 'folder', folder, status: 'notSearched' });
  for (const { folder, error } of found.locked) {
    const fault = new FolderLocked(folder, error);
    output.record({ type: 'folder', folder, status: 'locked', error: errorRecord(fault, t) });
    output.notice(describeError(fault, t));
  }
}

/** The last lines of a run: what was found and not taken. */
export function foundLines(found: FoundInputs, shell: Pick<Shell, 't' | 'cwd'>): string[] {
  const { t, cwd } = shell;
  const { leftAlone, notSearched, locked } = found;
  const folders = locked.map(({ folder }) => path.relative(cwd, folder) || '.');
  return [
    ...(leftAlone.length > 0 ? [leftAloneText(leftAlone, t)] : []),
    ...(notSearched.length > 0
      ? [t('cli.summary.notSearched', { count: notSearched.length })]
      : []),
    ...(locked.length > 0
      ? [t('cli.summary.locked', { count: locked.length, folders: folders.join(', ') })]
      : []),
  ];
}

/** "8 left alone: 1 HEIC, 2 PDF, 5 other files". */
export function leftAloneText(leftAlone: readonly LeftAlone[], t: Shell['t']): string {
  const kinds = [...countKinds(leftAlone)].map(([kind, count]) =>
    wordedKinds.some((worded) => worded === kind)
      ? t(`cli.leftAlone.${kind}`, { count })
      : t('cli.leftAlone.named', { count, kind }),
  );
  return t('cli.summary.leftAlone', {
    count: leftAlone.length,
    kinds: kinds.join(t('cli.summary.between')),
  });
}

/** How many of each kind, pictures before all else. */
export function countKinds(leftAlone: readonly LeftAlone[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of leftAlone) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const isOther = (kind: string) => wordedKinds.some((worded) => worded === kind);
  return new Map(
    [...counts].sort(([a], [b]) => Number(isOther(a)) - Number(isOther(b)) || a.localeCompare(b)),
  );
}
