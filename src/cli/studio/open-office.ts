import { createStore } from '../../storage/store.js';
import { type BackOffice, createBackOffice } from '../../studio/back-office.js';
import { createContext } from '../../studio/create-studio.js';
import type { ExitCode } from '../exit-codes.js';
import { createIds, hashText } from '../ids.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { openLogger } from '../serve/run.js';
import type { Shell } from '../shell.js';
import { openQueue, openStudioDatabase, openWorkParts } from '../wire.js';
import { studioConfigOf } from './studio-config.js';

/**
 * Work at the operator's desk, beside an open studio or alone. What needs a gateway or a chat is
 * written down as a job and done by `huancai serve`.
 */
export async function withOffice(
  options: GlobalOptions,
  work: (office: BackOffice, shell: Shell) => Promise<ExitCode>,
): Promise<ExitCode> {
  const shell = openShell(options);
  const log = openLogger(shell);
  const database = await openStudioDatabase(shell);
  const parts = await openWorkParts(shell);
  const store = createStore(database);
  const { clock } = parts;
  const queue = await openQueue(
    { clock, logger: log, database: async () => database },
    shell.config,
  );
  const context = createContext(
    {
      ...{ ...parts, store, queue, log, hash: hashText, ids: createIds(clock) },
      ...{ channels: new Map(), gateways: new Map() },
    },
    studioConfigOf(shell.config),
  );
  try {
    return await work(createBackOffice(context), shell);
  } finally {
    await queue.close().catch(() => {});
    await Promise.allSettled([store.close(), parts.engine.close()]);
  }
}

/** 990 fen is ¥9.90; Stars are whole. */
export function money(amountMinor: number, currency: string): string {
  return currency === 'CNY' ? `¥${(amountMinor / 100).toFixed(2)}` : `${amountMinor} ${currency}`;
}

export const time = (atMs: number) => new Date(atMs).toISOString();
