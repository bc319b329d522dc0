import { createStore } from '../../storage/store.js';
import type { Context } from '../../studio/context.js';
import { createContext } from '../../studio/create-studio.js';
import { yuan } from '../../studio/money.js';
import { createOperator } from '../../studio/operator.js';
import type { Clock } from '../../studio/ports/basics.js';
import type { GatewayId, PaymentGateway } from '../../studio/ports/gateway.js';
import type { Actor, Operator } from '../../studio/ports/operator.js';
import type { ExitCode } from '../exit-codes.js';
import { createIds, hashText } from '../ids.js';
import { openQueue, openStudioDatabase } from '../open-queue.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import type { Places } from '../places.js';
import { openLogger } from '../process.js';
import type { Shell } from '../shell.js';
import { whoAmI } from '../who-am-i.js';
import { openWorkParts } from '../wire.js';
import { studioConfigOf } from './studio-config.js';

/** What work at the desk is given. */
export interface OfficeParts {
  readonly shell: Shell;
  readonly context: Context;
  /** Who works here. */
  readonly by: Actor;
}

/**
 * Work at the operator's desk, beside an open studio or alone. What needs a gateway or a chat is
 * written down as a job and done by `huancai serve`.
 */
export function withOffice(
  options: GlobalOptions,
  work: (parts: { office: Operator; by: Actor; shell: Shell }) => Promise<ExitCode>,
): Promise<ExitCode> {
  const none = () => new Map<GatewayId, PaymentGateway>();
  return withContext(options, none, ({ context, by, shell }) =>
    work({ office: createOperator(context), by, shell }),
  );
}

/** The same with gateways, for what must be asked at once. */
export async function withContext(
  options: GlobalOptions,
  openGateways: (
    shell: Shell,
    deps: { clock: Clock; places: Places },
  ) => ReadonlyMap<GatewayId, PaymentGateway>,
  work: (parts: OfficeParts) => Promise<ExitCode>,
): Promise<ExitCode> {
  const shell = openShell(options);
  const log = openLogger(shell);
  const database = await openStudioDatabase(shell);
  const parts = await openWorkParts(shell, log, 'studio');
  const store = createStore(database);
  const { clock } = parts;
  const queue = await openQueue(
    { clock, logger: log, database: async () => database },
    shell.config,
  );
  try {
    const context = createContext(
      {
        ...{ ...parts, store, queue, log, hash: hashText, ids: createIds(clock) },
        ...{ channels: new Map(), gateways: openGateways(shell, parts) },
      },
      studioConfigOf(shell.config),
    );
    return await work({ shell, context, by: whoAmI() });
  } finally {
    await queue.close().catch(() => {});
    await Promise.allSettled([store.close(), parts.engine.close()]);
  }
}

/** 990 fen is ¥9.90; Stars are whole. */
export function money(amountMinor: number, currency: string): string {
  return currency === 'CNY' ? `¥${yuan(amountMinor)}` : `${amountMinor} ${currency}`;
}

export const time = (atMs: number) => new Date(atMs).toISOString();
