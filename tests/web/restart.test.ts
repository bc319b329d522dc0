import { createHttpClient } from '../support/http-client.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack } from '../support/web-stack.js';

test('a pack bought after a restart is another purchase, however alike', async () => {
  const before = await startWebStack({ colorizer: createSepiaColorizer() });
  const first = createHttpClient(before.url);
  const wish = { pack: 'ten', method: 'sandbox' };
  const { order: one } = await first.json('POST', '/me/topups', wish);
  const cookie = first.cookie();
  await before.close(true);
  const { dir } = before;
  const after = await startWebStack({ colorizer: createSepiaColorizer(), dir });
  try {
    const again = createHttpClient(after.url, { cookie });
    const { status, order: two } = await again.json('POST', '/me/topups', wish);
    expect(status).toBe(201);
    expect(two.id).not.toBe(one.id);
    const { orders } = await again.json('GET', '/orders');
    expect(orders.map(({ id }: { id: string }) => id)).toEqual([two.id, one.id]);
  } finally {
    await after.close();
  }
}, 60_000);
