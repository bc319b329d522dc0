import { randomUUID } from 'node:crypto';
import { InvalidRequest } from '../../studio/errors/index.js';
import type { Operator } from '../../studio/ports/operator.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { money, time, withOffice } from './open-office.js';

/** `huancai orders list`. */
export function listOrders(
  options: GlobalOptions & { limit: number; customer?: string },
): Promise<ExitCode> {
  return withOffice(options, async ({ office, shell: { output, t } }) => {
    const orders = await office.orders(options.limit, options.customer);
    for (const { chat: _, payToken: __, ...order } of orders) {
      output.record({ type: 'order', ...order });
      const { id, state, kind, amountMinor, currency, method, createdMs } = order;
      const price = money(amountMinor, currency).padStart(10);
      output.line(
        `${time(createdMs)}  ${id}  ${state.padEnd(9)}  ${kind.padEnd(6)}  ${price}  ${method}`,
      );
    }
    if (orders.length === 0) output.line(t('office.orders.none'));
    return exitCodes.done;
  });
}

const ordersShown = 50;

/** `huancai orders show`. @param name of an order, or of a customer: then all of theirs */
export function showOrder(name: string, options: GlobalOptions): Promise<ExitCode> {
  return withOffice(options, async ({ office, shell }) => {
    const ids = await office.ordersNamed(name, ordersShown);
    for (const id of ids) await printOrder(office, shell, id);
    if (ids.length === 0) shell.output.line(shell.t('office.orders.none'));
    return exitCodes.done;
  });
}

async function printOrder(office: Operator, { output, t }: Shell, id: string): Promise<void> {
  const { order, charge, refunds } = await office.order(id);
  const { payPath: _, qr: __, ...shown } = order;
  output.record({ type: 'order', ...shown, charge: charge ?? null, refunds });
  const { state, kind, amountMinor, currency, method, credits, photoIds, customerId } = order;
  output.line(`${id}  ${state}  ${kind}  ${money(amountMinor, currency)}  ${method}`);
  output.line(`  ${customerId}  ${t('office.orders.credits', { credits })}  ${photoIds.join(' ')}`);
  if (charge) {
    const { state, providerId, polls } = charge;
    output.line(`  ${charge.id}  ${charge.gateway} ${state}  ${providerId ?? '-'}  ${polls}x`);
  }
  for (const { id, state, amountMinor, reason, createdMs } of refunds) {
    output.line(
      `  ${id}  ${time(createdMs)}  ${state}  ${money(amountMinor, currency)}  ${reason}`,
    );
  }
}

/** `huancai orders quarantine`. @returns someFailed while something waits to be looked at. */
export function quarantine(
  options: GlobalOptions & { limit: number; resolve?: string },
): Promise<ExitCode> {
  return withOffice(options, async ({ office, by, shell: { output, t } }) => {
    if (options.resolve !== undefined) {
      await office.resolveQuarantine(by, options.resolve);
      output.record({ type: 'resolved', id: options.resolve });
      output.line(t('office.quarantine.resolved', { id: options.resolve }));
      return exitCodes.done;
    }
    const findings = await office.quarantine(options.limit);
    for (const finding of findings) {
      output.record({ type: 'quarantined', ...finding });
      const { id, gateway, outTradeNo, reason, atMs } = finding;
      output.line(`${time(atMs)}  ${id}  ${gateway}  ${outTradeNo}  ${reason}`);
    }
    const key = findings.length === 0 ? 'none' : 'some';
    output.line(t(`office.quarantine.${key}`, { count: findings.length }));
    return findings.length === 0 ? exitCodes.done : exitCodes.someFailed;
  });
}

/** `huancai refund`. @param name of an order, or of a customer with one that was paid */
export function refund(
  name: string,
  options: GlobalOptions & { reason: string; amountFen?: number; key?: string },
): Promise<ExitCode> {
  return withOffice(options, async ({ office, by, shell: { output, t } }) => {
    const { reason, amountFen: amountMinor, key = randomUUID() } = options;
    const orderId = await theOrder(office, name);
    const { order } = await office.order(orderId);
    const made = await office.refund(by, orderId, { key, reason, amountMinor });
    const { id, state, credits } = made;
    output.record({ type: 'refund', id, orderId, state, amountMinor: made.amountMinor, credits });
    const amount = money(made.amountMinor, order.currency);
    output.line(t('office.refund.queued', { id, amount, credits, orderId }));
    return exitCodes.done;
  });
}

/** Money is given back for an order that is named beyond doubt. @throws {InvalidRequest} */
async function theOrder(office: Operator, name: string): Promise<string> {
  const ids = await office.ordersNamed(name, ordersShown);
  if (ids.length === 1 && ids[0] === name) return name;
  const all = await Promise.all(ids.map((id) => office.order(id)));
  const paid = all.map(({ order }) => order).filter((one) => one.paidAtMs !== undefined);
  const [only] = paid;
  if (only && paid.length === 1) return only.id;
  throw new InvalidRequest('order', paid.map(({ id }) => id).join(', ') || 'or_...', name);
}
