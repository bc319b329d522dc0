import type { PullProgress } from '../../inference/models/index.js';
import type { Shell } from '../shell.js';

/** Redraw at most this often on a terminal, and write a line this often elsewhere, ms. */
const TERMINAL_MS = 100;
const LINE_MS = 5_000;

/** Progress of one download: a line redrawn on a terminal, a line now and then elsewhere. */
export function createPullProgress(shell: Shell, model: string) {
  const { output, t } = shell;
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastStep = '';
  let drawn = false;
  const write = (text: string) => {
    drawn = true;
    process.stderr.write(`\r\u001b[2K${text}`);
  };
  return {
    show(progress: PullProgress): void {
      const nowMs = shell.now();
      const changed = progress.step !== lastStep;
      if (!changed && nowMs - lastMs < (output.terminal ? TERMINAL_MS : LINE_MS)) return;
      lastMs = nowMs;
      lastStep = progress.step;
      const text = t(`models.${progress.step}`, {
        model,
        done: megabytes(progress.doneBytes ?? 0),
        total: progress.totalBytes ? megabytes(progress.totalBytes) : t('models.sizeUnknown'),
        percent: Math.round((progress.share ?? 0) * 100),
      });
      if (output.terminal) write(text);
      else output.notice(text);
    },
    end(): void {
      if (drawn) process.stderr.write('\r\u001b[2K');
    },
  };
}

/** 911801965 -> "912 MB". */
export function megabytes(bytes: number): string {
  return `${bytes < 10e6 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`;
}
