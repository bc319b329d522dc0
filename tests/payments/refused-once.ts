import type { GatewayId, RawNotification } from '../../src/studio/ports/gateway.js';
import type { Shop } from '../support/shop.js';

/**
 * The studio refuses a notification: nothing is recorded, one line goes to the log, and nothing
 * secret or personal is in it.
 */
export async function expectRefusedOnce(
  shop: Shop,
  gateway: GatewayId,
  raw: RawNotification,
  secrets: RegExp,
): Promise<void> {
  const before = shop.log.lines.length;
  expect(await shop.studio.receiveNotification(gateway, raw)).toBe('rejected');
  const lines = shop.log.lines.slice(before);
  expect(lines).toEqual([
    {
      ...{ level: 'warn', event: 'notification.rejected' },
      fields: { gateway, reason: expect.stringMatching(/^.{5,80}$/) },
    },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(secrets);
  const { reader } = shop.database;
  for (const table of ['notifications', 'quarantine', 'outbox'] as const)
    expect(await reader.selectFrom(table).selectAll().execute()).toEqual([]);
}
