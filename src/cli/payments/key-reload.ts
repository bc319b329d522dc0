import { statSync } from 'node:fs';
import { StudioError } from '../../studio/errors/index.js';
import type { Logger } from '../../studio/ports/basics.js';
import { type GatewayId, type PaymentGateway, providerIds } from '../../studio/ports/gateway.js';
import { allSettings, type Environment } from '../config.js';
import { ConfigFaulty } from '../errors.js';

/** Files change with months between; looking costs nothing. */
const everyMs = 30_000;
/** Variables that name the key files of providers with a section of their own. */
const keyFiles = allSettings()
  .filter(({ name, secret }) => secret && providerIds.some((id) => name.startsWith(`${id}.`)))
  .map(({ env }) => `${env}_FILE`);

/** A gateway whose keys may be renewed while everybody holds on to it. */
export interface RenewableGateway extends PaymentGateway {
  renew(next: PaymentGateway): void;
}

/** @param first of the same merchant as all that follow: numbers of open orders stay theirs. */
export function renewable(first: PaymentGateway): RenewableGateway {
  let now = first;
  return {
    id: first.id,
    currency: first.currency,
    merchantId: first.merchantId,
    appId: first.appId,
    createCharge: (request) => now.createCharge(request),
    queryCharge: (outTradeNo) => now.queryCharge(outTradeNo),
    closeCharge: (outTradeNo) => now.closeCharge(outTradeNo),
    refund: (request) => now.refund(request),
    queryRefund: (request) => now.queryRefund(request),
    downloadBill: (date) => now.downloadBill(date),
    openNotification: (raw) => now.openNotification(raw),
    notificationReply: (outcome) => now.notificationReply(outcome),
    renew: (next) => {
      now = next;
    },
  };
}

/**
 * Renewed key files are taken up without a restart. While they do not fit together (one of two is
 * copied, others may read it), the old keys stay in use and the log says what is wrong.
 * @param open reads the settings again. @throws {ConfigFaulty}
 */
export function createKeyReloadDuty(
  deps: {
    gateways: Iterable<RenewableGateway>;
    open: () => readonly PaymentGateway[];
    logger: Logger;
  },
  env: Environment,
) {
  const byId = new Map<GatewayId, RenewableGateway>([...deps.gateways].map((one) => [one.id, one]));
  let seen = stateOf(env);
  return {
    name: 'payment-keys',
    everyMs,
    run: async (): Promise<number> => {
      const state = stateOf(env);
      if (state === seen) return 0;
      seen = state;
      try {
        return renewAll(deps.open(), byId, deps.logger);
      } catch (error) {
        if (!(error instanceof StudioError)) throw error;
        const faults = error instanceof ConfigFaulty ? error.faults : [error.code];
        deps.logger.error('payments.keysNotRenewed', { faults });
        return 0;
      }
    },
  };
}

function renewAll(
  opened: readonly PaymentGateway[],
  byId: ReadonlyMap<GatewayId, RenewableGateway>,
  logger: Logger,
): number {
  let renewed = 0;
  for (const next of opened) {
    const one = byId.get(next.id);
    // Another merchant's money would not match the orders that are open.
    if (one?.merchantId !== next.merchantId || one.appId !== next.appId) continue;
    one.renew(next);
    logger.info('payments.keysRenewed', { gateway: next.id });
    renewed += 1;
  }
  return renewed;
}

/** Names, times and sizes of the key files: changes when one of them does. */
function stateOf(env: Environment): string {
  return keyFiles
    .filter((name) => env[name])
    .map((name) => {
      const stats = statSync(env[name]!, { throwIfNoEntry: false });
      return `${name} ${stats?.mtimeMs} ${stats?.size} ${stats?.ino} ${stats?.mode}`;
    })
    .join('\n');
}
