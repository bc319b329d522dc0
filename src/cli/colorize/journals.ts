import type { Shell } from '../shell.js';
import { type Journal, openJournal } from './journal.js';

/** The journals of a run, one per folder of results, opened when first asked for. */
export interface Journals {
  get(dir: string): Journal | undefined;
  close(): void;
}

/** @param wanted a single photo needs no journal in its folder: there is nothing to continue. */
export function openJournals(wanted: boolean, { now }: Pick<Shell, 'now'>): Journals {
  const open = new Map<string, Journal>();
  return {
    get: (dir) => {
      if (!wanted) return undefined;
      const journal = open.get(dir) ?? openJournal(dir, () => new Date(now()).toISOString());
      open.set(dir, journal);
      return journal;
    },
    close: () => {
      for (const journal of open.values()) journal.close();
    },
  };
}
