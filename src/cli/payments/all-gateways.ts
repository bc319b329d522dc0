import {
  createSandboxGateway,
  type SandboxGateway,
  sandboxAllowed,
} from '../../payments/sandbox-gateway.js';
import type { Clock } from '../../studio/ports/basics.js';
import type { GatewayId, PaymentGateway } from '../../studio/ports/gateway.js';
import type { Config } from '../config.js';
import { readOrCreateKey } from '../key-file.js';
import type { Places } from '../places.js';
import { openGateways } from './gateways.js';
import { type RenewableGateway, renewable } from './key-reload.js';

export interface OpenedGateways {
  readonly all: ReadonlyMap<GatewayId, PaymentGateway>;
  /** Those whose keys may change under way. */
  readonly real: readonly RenewableGateway[];
  /** Absent when it is off. */
  readonly sandbox?: SandboxGateway;
  /** What the operator is told about the sandbox. */
  readonly notice: { readonly messageKey: string; readonly params: Record<string, string> };
  /** Anybody could get HD for free beside real payments. */
  readonly risky: boolean;
}

/** Real gateways as configured, and the sandbox where nobody is cheated by it. */
export function openAllGateways(
  deps: { clock: Clock; places: Places },
  config: Config,
  baseUrl: () => string,
): OpenedGateways {
  const { botToken, apiRoot } = config.telegram;
  const telegram = botToken ? { token: botToken, apiRoot: apiRoot ?? undefined } : undefined;
  const publicUrl = config.web.publicUrl ?? undefined;
  const real = openGateways(deps, config, publicUrl, telegram).map(renewable);
  const wish = config.sandbox.gateway;
  const { allowed, reason } = sandboxAllowed({
    realGateways: real.map(({ id }) => id),
    named: wish === 'on',
  });
  const all = new Map<GatewayId, PaymentGateway>(real.map((gateway) => [gateway.id, gateway]));
  if (!allowed || wish === 'off') {
    const notice = allowed ? { messageKey: 'serve.sandboxOff', params: {} } : reason;
    return { all, real, notice, risky: false };
  }
  const notifyKey = readOrCreateKey(deps.places.key('sandbox'));
  const sandbox = createSandboxGateway(deps, { dir: deps.places.sandbox, notifyKey, baseUrl });
  all.set('sandbox', sandbox);
  return { all, real, sandbox, notice: reason, risky: real.length > 0 };
}
