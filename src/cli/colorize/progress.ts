import path from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { describeError, errorRecord } from '../errors.js';
import type { Shell } from '../shell.js';
import type { BatchListener, PhotoOutcome } from './batch.js';
import { toldPhoto, toldResult } from './outputs.js';

/** Progress that suits who is looking: a bar on a terminal, lines in a log, objects for a machine. */
export function createProgress(shell: Shell): BatchListener {
  if (shell.output.json)
    return { finished: (outcome) => shell.output.record(record(outcome, shell)) };
  return shell.output.terminal ? bar(shell) : lines(shell);
}

/** One finished photo as a line for a person. */
export function outcomeLine(outcome: PhotoOutcome, { t, cwd }: Shell): string {
  const params = {
    photo: relative(cwd, toldPhoto(outcome.task)),
    file: outcome.files.map((file) => relative(cwd, toldResult(outcome.task, file))).join(', '),
    seconds: outcome.seconds.toFixed(1),
    reason: outcome.error === undefined ? '' : describeError(outcome.error, t),
  };
  return t(`cli.outcome.${outcome.status}`, params);
}

function noteLines(outcome: PhotoOutcome, { t }: Shell): string[] {
  return outcome.notes.map((note) => `  ${t(note.key, note.params)}`);
}

function lines(shell: Shell): BatchListener {
  let total = 0;
  let count = 0;
  return {
    started: (tasks) => {
      total = tasks.length;
    },
    finished: (outcome) => {
      count += 1;
      const place = total > 1 ? `[${count}/${total}] ` : '';
      shell.output.notice(place + outcomeLine(outcome, shell));
      for (const line of noteLines(outcome, shell)) shell.output.notice(line);
    },
  };
}

function bar(shell: Shell): BatchListener {
  const shares = new Map<string, number>();
  const format = `{bar} {percentage} % | {count}/{photos} ${shell.t('cli.photos')} | {duration_formatted} < {eta_formatted} | {name}`;
  const drawn = new SingleBar(
    {
      format,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
    },
    Presets.shades_classic,
  );
  let count = 0;
  const update = (name: string) => {
    const whole = [...shares.values()].reduce((sum, share) => sum + share, 0);
    drawn.update(Math.min(count + whole, drawn.getTotal()), { count, name });
  };
  return {
    started: (tasks) => {
      const first = tasks[0] ? path.basename(toldPhoto(tasks[0])) : '';
      drawn.start(tasks.length, 0, { count: 0, photos: tasks.length, name: first });
    },
    progress: (task, share) => {
      shares.set(task.file, share);
      update(path.basename(toldPhoto(task)));
    },
    finished: (outcome) => {
      shares.delete(outcome.task.file);
      count += 1;
      update(path.basename(toldPhoto(outcome.task)));
      if (count === drawn.getTotal()) drawn.stop();
    },
    // Gives the line and the cursor back.
    closed: () => {
      if (drawn.isActive) drawn.stop();
    },
  };
}

function record(outcome: PhotoOutcome, { t }: Shell): Record<string, unknown> {
  const { task, status, files, seconds, notes, prediction, damage, error } = outcome;
  return {
    type: 'photo',
    photo: toldPhoto(task),
    status,
    files: files.map((file) => toldResult(task, file)),
    seconds: Math.round(seconds * 1000) / 1000,
    ...prediction,
    ...(damage ? { damage } : {}),
    notes: notes.map((note) => ({ ...note, message: t(note.key, note.params) })),
    ...(error === undefined ? {} : { error: errorRecord(error, t) }),
  };
}

function relative(cwd: string, file: string): string {
  const short = path.relative(cwd, file);
  return short.startsWith('..') ? file : short;
}
