import { channelNames } from '../../studio/ports/basics.js';
import {
  type GatewayId,
  isProvider,
  type PaymentMethod,
  type ProviderId,
  paymentMethods,
  providerIds,
} from '../../studio/ports/gateway.js';
import { ConfigFaulty } from '../errors.js';
import { openGateways } from '../payments/gateways.js';
import type { Shell } from '../shell.js';
import type { Check, Finding } from './check.js';

/** Real money by a code on the screen: what Telegram's rule is about. */
const isCode = (id: PaymentMethod) => isProvider(id) && paymentMethods[id].shows === 'code';

/** Which providers can take money, what the others lack, and what Telegram allows. */
export const checkPayments: Check = async (shell) => {
  const findings: Finding[] = [];
  const ready = readyProviders(shell, findings);
  if (findings.length === 0)
    for (const id of providerIds) findings.push(finding(shell, id, ready.has(id)));
  return [...findings, ...telegramFindings(shell, ready)];
};

function readyProviders({ config, now }: Shell, findings: Finding[]): Set<GatewayId> {
  const { botToken } = config.telegram;
  const telegram = botToken ? { token: botToken } : undefined;
  const publicUrl = config.web.publicUrl ?? undefined;
  try {
    const gateways = openGateways({ clock: { now } }, config, publicUrl, telegram);
    return new Set(gateways.map(({ id }) => id));
  } catch (error) {
    if (!(error instanceof ConfigFaulty)) throw error;
    for (const fault of error.faults)
      findings.push({
        ...{ name: 'payments', status: 'fail', key: 'doctor.payments.fail' },
        params: { fault },
      });
    return new Set();
  }
}

/** Not set up is no fault: the sandbox takes its place. Set up and offered nowhere is one. */
function finding({ config }: Shell, id: ProviderId, ready: boolean): Finding {
  const { channels, web } = config;
  const name = 'payments';
  const offered = channelNames.filter((channel) =>
    (channels[channel].methods as readonly PaymentMethod[]).includes(id),
  );
  const params = { channels: offered.join(', '), url: web.publicUrl ?? '' };
  if (!ready) return { name, status: 'ok', key: `doctor.payments.off.${id}`, params };
  if (offered.length === 0) return { name, status: 'warn', key: `doctor.payments.hidden.${id}` };
  const polled = paymentMethods[id].notifies === 'http' && !web.publicUrl;
  const key = `doctor.payments.on.${id}${polled ? 'Polled' : ''}`;
  return { name, status: 'ok', key, params };
}

/** Telegram's rule on digital goods, where a code is offered in its chats. */
function telegramFindings({ config }: Shell, ready: ReadonlySet<GatewayId>): Finding[] {
  const methods: readonly PaymentMethod[] = config.channels.telegram.methods;
  const codes = methods.filter(isCode);
  const findings: Finding[] = [];
  if (codes.length > 0)
    findings.push({
      ...{ name: 'telegram', status: 'warn', key: 'doctor.payments.telegramRule' },
      params: { methods: codes.join(', ') },
    });
  if (ready.has('stars') && !methods.includes('stars'))
    findings.push({ name: 'telegram', status: 'warn', key: 'doctor.payments.telegramNoStars' });
  return findings;
}
