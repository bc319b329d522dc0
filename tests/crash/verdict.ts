import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { auditLedger } from '../../src/storage/audit.js';
import { openDatabase } from '../../src/storage/database.js';
import { until } from '../support/until.js';
import type { CrashCustomer } from './customer.js';

const finalPhoto = new Set(['ready', 'failed', 'cancelled']);
const finalOrder = new Set(['fulfilled', 'credited', 'refunded']);

/** Where the shop keeps what only it should know. */
export interface ShopPlace {
  readonly file: string;
  readonly url?: string;
  /** The sandbox's own book: what the provider believes was paid. */
  readonly sandbox: string;
}

export interface Verdict {
  readonly photos: Record<string, number>;
  /** Why photos failed, by error code. */
  readonly failures: Record<string, number>;
  readonly orders: Record<string, number>;
  readonly paid: number;
  readonly faults: readonly string[];
}

/**
 * Ask the shop, as its customers, what became of everything it ever accepted.
 * @param settleMs how long unfinished work may take now that nobody kills anything.
 */
export async function judge(
  customers: readonly CrashCustomer[],
  place: ShopPlace,
  settleMs: number,
): Promise<Verdict> {
  const faults: string[] = customers.flatMap((one) => one.complaints);
  const open = async () => [...(await unsettled(customers)), ...(await unnoticed(place))];
  await until(async () => (await open()).length === 0, settleMs).catch(async () => {
    faults.push(...(await open()), ...(await wanted(place)));
  });
  const photos: Record<string, number> = {};
  const failures: Record<string, number> = {};
  const orders: Record<string, number> = {};
  let paid = 0;
  for (const { client, wishes } of customers) {
    for (const wish of wishes) {
      const photo = await client.json('GET', `/photos/${wish.photoId}`);
      count(photos, photo.status);
      if (photo.status === 'failed') count(failures, photo.error?.code ?? 'none');
      if (photo.status === 'failed' && !photo.error?.code)
        faults.push(`${wish.photoId} failed without a reason`);
      if (wish.orders.size > 1)
        faults.push(`${wish.photoId}: one wish, orders ${[...wish.orders].join(' ')}`);
      for (const id of wish.orders) {
        const order = await client.json('GET', `/orders/${id}`);
        count(orders, order.status);
        if (!order.paidAt) {
          if (wish.paid) faults.push(`${id}: the pay page said paid, the order is ${order.status}`);
          continue;
        }
        paid++;
        if (order.status === 'fulfilled') faults.push(...(await delivered(client, wish.photoId)));
      }
    }
  }
  faults.push(...(await books(place)));
  return { photos, failures, orders, paid, faults };
}

/** Photos that are neither delivered nor failed, paid orders that are neither given nor credited. */
async function unsettled(customers: readonly CrashCustomer[]): Promise<string[]> {
  const open: string[] = [];
  for (const { client, wishes } of customers) {
    for (const wish of wishes) {
      const { status, httpStatus } = await get(client, `/photos/${wish.photoId}`);
      if (!finalPhoto.has(status)) open.push(`${wish.photoId} is ${status ?? httpStatus}`);
      for (const id of wish.orders) {
        const order = await get(client, `/orders/${id}`);
        if ((order.paidAt || wish.paid) && !finalOrder.has(order.status))
          open.push(`${id} is paid and ${order.status}`);
      }
    }
  }
  return open;
}

/** Charges that the provider has money for and the shop does not know of. */
async function unnoticed(place: ShopPlace): Promise<string[]> {
  const names = existsSync(place.sandbox) ? readdirSync(place.sandbox) : [];
  const paid = names
    .filter((name) => readFileSync(path.join(place.sandbox, name), 'utf8').includes('"paid"'))
    .map((name) => path.basename(name, '.jsonl'));
  if (paid.length === 0) return [];
  const database = openDatabase(place);
  try {
    const charges = await database.reader
      .selectFrom('charges')
      .select('id')
      .where('state', '=', 'paid')
      .execute();
    const known = new Set(charges.map(({ id }) => id));
    return paid.filter((id) => !known.has(id)).map((id) => `${id} was paid, the shop missed it`);
  } finally {
    await database.close();
  }
}

/** What the shop still wants done: where to look when something does not settle. */
async function wanted(place: ShopPlace): Promise<string[]> {
  const database = openDatabase(place);
  try {
    const jobs = await database.reader
      .selectFrom('outbox')
      .select(['key', 'createdMs', 'relayedMs'])
      .execute();
    return jobs.map((job) => `still in the outbox: ${JSON.stringify(job)}`);
  } finally {
    await database.close();
  }
}

async function get(client: CrashCustomer['client'], path: string) {
  const answer = await client.send('GET', `/api/v1${path}`);
  const body = answer.ok ? await answer.json() : {};
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked field by field
  return { ...(body as any), httpStatus: answer.status };
}

async function delivered(client: CrashCustomer['client'], photoId: string): Promise<string[]> {
  const master = await client.send('GET', `/api/v1/photos/${photoId}/master`);
  const bytes = (await master.arrayBuffer()).byteLength;
  return master.status === 200 && bytes > 1_000
    ? []
    : [`${photoId}: paid and fulfilled, but its master answers ${master.status}, ${bytes} bytes`];
}

/** The ledger's own proof, and that no photo was sold twice. */
async function books(place: ShopPlace): Promise<string[]> {
  const database = openDatabase(place);
  try {
    const findings = await auditLedger(database.raw);
    const faults = findings.map((one) => `ledger: ${one.check}: ${JSON.stringify(one)}`);
    const holds = await database.reader
      .selectFrom('holds')
      .select(['photoId', 'state'])
      .where('state', 'in', ['posted', 'held'])
      .execute();
    const posted = new Map<string, number>();
    for (const { photoId, state } of holds) {
      if (state === 'held') faults.push(`${photoId}: credits are still held`);
      posted.set(photoId, (posted.get(photoId) ?? 0) + 1);
    }
    for (const [photoId, n] of posted) if (n > 1) faults.push(`${photoId}: charged ${n} times`);
    return faults;
  } finally {
    await database.close();
  }
}

function count(into: Record<string, number>, key: string): void {
  into[key] = (into[key] ?? 0) + 1;
}
