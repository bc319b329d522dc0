import type { Context } from './context.js';
import { current } from './customers.js';
import { NotFound } from './errors/index.js';

type Reader = Pick<Context, 'store'>;

/** The customer behind an id or the code that they quote. @throws {NotFound} */
export async function customerNamed({ store }: Reader, idOrCode: string): Promise<string> {
  const { customers } = store.read;
  const found =
    (await customers.find(idOrCode)) ?? (await customers.byCode(idOrCode.trim().toUpperCase()));
  if (!found) throw new NotFound('customer');
  return (await current(store.read, found.id)).id;
}

/** The order of this id; of a customer, all of theirs, newest first. @throws {NotFound} */
export async function ordersNamed(context: Reader, name: string, limit: number): Promise<string[]> {
  const { orders } = context.store.read;
  if (await orders.find(name)) return [name];
  const customerId = await customerNamed(context, name).catch(neither('order'));
  return (await orders.list({ customerId, limit })).map(({ id }) => id);
}

/** The photo of this id; of a customer, all of theirs, newest first. @throws {NotFound} */
export async function photosNamed(context: Reader, name: string, limit: number): Promise<string[]> {
  const { photos } = context.store.read;
  if (await photos.find(name)) return [name];
  const customerId = await customerNamed(context, name).catch(neither('photo'));
  return (await photos.list(customerId, limit)).map(({ id }) => id);
}

/** Whoever asked for an order that is none is told so, and not of customers. */
function neither(what: 'order' | 'photo') {
  return (error: unknown): never => {
    throw error instanceof NotFound ? new NotFound(what) : error;
  };
}
