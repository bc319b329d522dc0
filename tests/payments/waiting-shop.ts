import type { GatewayId, PaymentGateway } from '../../src/studio/ports/gateway.js';
import { openShop } from '../support/shop.js';

/** A studio with one order that waits for its money; its provider answers as a test tells it. */
export async function openWaitingShop(gateway: PaymentGateway) {
  const methods = { web: [gateway.id as GatewayId], telegram: [], wechat: [] };
  const shop = await openShop({ gateway, config: { methods } });
  const someone = await shop.newCustomer();
  const order = await shop.studio.topUp(someone.id, 'one', {
    ...{ key: 'wish', chat: someone.chat, method: gateway.id },
  });
  const charge = (await shop.store.read.charges.ofOrder(order.id))!;
  const payload = { chargeId: charge.id };
  const job = { name: 'settle', key: 'poll', payload } as const;
  const ask = () => shop.pipeline.handlers.settle({ ...job, attempt: 1 } as never);
  return {
    chargeId: charge.id,
    amountFen: charge.amountMinor,
    ask,
    state: async () => (await shop.store.read.orders.find(order.id))!.state,
    close: shop.close,
    /** Ask once: the answer is not believed, nothing moves, the log says so once and why. */
    async expectNotBelieved(secrets: RegExp): Promise<void> {
      const before = shop.log.lines.length;
      await ask();
      const lines = shop.log.lines.slice(before);
      expect(lines).toEqual([
        {
          ...{ level: 'warn', event: 'charge.noAnswer' },
          fields: {
            ...{ chargeId: charge.id, code: expect.stringMatching(/^GATEWAY_/) },
            reason: expect.stringMatching(/^.{10,120}$/),
          },
        },
      ]);
      expect(JSON.stringify(lines)).not.toMatch(secrets);
      expect((await shop.store.read.charges.find(charge.id))!.state).toBe('open');
    },
  };
}
