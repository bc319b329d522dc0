import { limits } from '../studio/limits.js';
import type { OrderView, Studio } from '../studio/ports/studio.js';

/**
 * Wait until the gateway's code is there: it is fetched by a job of its own. After a while the
 * order goes out without one; its page shows the code when it comes.
 */
export async function offered(studio: Studio, order: OrderView): Promise<OrderView> {
  return settled(studio, order, (now) => now.state !== 'created', limits.web.offerWaitMs);
}

/** Wait until an order is where we want it, at most `timeoutMs`; answers its newest state. */
export async function settled(
  studio: Studio,
  order: OrderView,
  done: (order: OrderView) => boolean,
  timeoutMs: number,
): Promise<OrderView> {
  if (done(order)) return order;
  let wake = () => {};
  const unwatch = studio.watch(order.customerId, () => wake());
  const end = AbortSignal.timeout(timeoutMs);
  try {
    let now = await studio.order(order.customerId, order.id);
    while (!done(now) && !end.aborted) {
      await new Promise<void>((resolve) => {
        // Another process may do the work: its events do not reach us, so look now and then.
        const timer = setTimeout(resolve, 200);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      now = await studio.order(order.customerId, order.id);
    }
    return now;
  } finally {
    unwatch();
  }
}
