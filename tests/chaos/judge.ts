import { auditLedger } from '../../src/storage/audit.js';
import { type Database, openDatabase } from '../../src/storage/database.js';
import type { Buyer } from './buyer.js';
import type { ChaosClock } from './chaos-clock.js';
import type { Payer } from './payer.js';
import { methods, type Providers, type ProviderTrade, tradesAt } from './providers.js';

export interface Verdict {
  readonly orders: Readonly<Record<string, number>>;
  readonly fates: Readonly<Record<string, number>>;
  /** Per provider, in its own unit: taken there, booked here, set aside for the operator. */
  readonly money: Readonly<Record<string, { theirs: number; ours: number; quarantined: number }>>;
  readonly forged: number;
  readonly faults: readonly string[];
}

const given = new Set(['fulfilled', 'credited', 'refunded']);

/** Hold the shop to its word, with the providers' own memory and the raw tables. */
export async function judge(world: {
  database: { file: string };
  buyers: readonly Buyer[];
  payer: Payer;
  providers: Providers;
  clock: ChaosClock;
}): Promise<Verdict> {
  const { buyers, payer, providers } = world;
  const database = openDatabase(world.database);
  try {
    const faults = buyers.flatMap((one) => one.complaints);
    for (const { check, subject, details } of await auditLedger(database.raw))
      faults.push(`ledger: ${check}: ${subject} ${JSON.stringify(details)}`);
    for (const no of payer.believed) faults.push(`${no}: a forged notification was accepted`);
    const trades = tradesAt(providers);
    const known = await chargesOf(database);
    for (const trade of trades) faults.push(...verdictOn(trade, known.get(trade.outTradeNo)));
    faults.push(...(await ordersOf(database, buyers)));
    const money: Record<string, Verdict['money'][string]> = {};
    for (const method of methods) {
      const mine = trades.filter((trade) => trade.method === method);
      const stays = (one: ProviderTrade) => one.paidMinor - one.refundedMinor;
      const sum = (list: readonly ProviderTrade[]) =>
        list.reduce((total, one) => total + stays(one), 0);
      const odd = mine.filter((one) => one.paidMinor > 0 && one.paidMinor !== one.askedMinor);
      const account = `gateway:${method}:${method === 'stars' ? 'XTR' : 'CNY'}`;
      const ours = await balanceOf(database, account);
      money[method] = { theirs: sum(mine), ours, quarantined: sum(odd) };
      if (sum(mine) !== ours + sum(odd))
        faults.push(`${method}: ${sum(mine)} there, ${ours} booked, ${sum(odd)} quarantined`);
    }
    const states = await database.reader.selectFrom('orders').select('state').execute();
    const orders = tally(states.map(({ state }) => state));
    const fates = tally([...payer.fates.values()]);
    return { orders, fates, money, forged: payer.forged, faults };
  } finally {
    await database.close();
  }
}

type Known = Awaited<ReturnType<typeof chargesOf>> extends Map<string, infer K> ? K : never;

async function chargesOf({ reader }: Database) {
  const rows = await reader
    .selectFrom('charges')
    .innerJoin('orders', 'orders.id', 'charges.orderId')
    .select(['charges.id as id', 'charges.state as state', 'orders.state as order'])
    .execute();
  const odd = await reader.selectFrom('quarantine').select(['outTradeNo']).execute();
  const quarantined = new Set(odd.map(({ outTradeNo }) => outTradeNo));
  return new Map(rows.map((row) => [row.id, { ...row, quarantined: quarantined.has(row.id) }]));
}

function verdictOn(trade: ProviderTrade, known: Known | undefined): string[] {
  const { outTradeNo, paidMinor, askedMinor, refundedMinor } = trade;
  const name = `${trade.method} ${outTradeNo}`;
  if (!known) return [`${name}: the provider knows it, the shop does not`];
  if (refundedMinor > paidMinor) return [`${name}: more went back than came`];
  if (paidMinor === 0) return known.state === 'paid' ? [`${name}: never paid, booked as paid`] : [];
  if (paidMinor !== askedMinor)
    return known.quarantined && known.state !== 'paid' ? [] : [`${name}: a wrong sum was taken`];
  if (known.state !== 'paid') return [`${name}: paid there, ${known.state} here`];
  return given.has(known.order) ? [] : [`${name}: paid, its order is ${known.order}`];
}

/** Nothing is half done, nobody paid twice for one wish, every HD file is there. */
async function ordersOf({ reader }: Database, buyers: readonly Buyer[]): Promise<string[]> {
  const faults: string[] = [];
  const holds = await reader.selectFrom('holds').select(['photoId', 'state']).execute();
  for (const hold of holds)
    if (hold.state === 'held') faults.push(`${hold.photoId}: credits are still held`);
  for (const buyer of buyers) {
    for (const { orderId, photoIds } of buyer.bought) {
      const order = await buyer.client.json('GET', `/orders/${orderId}`);
      if (order.status !== 'fulfilled') continue;
      for (const id of photoIds) {
        const master = await buyer.client.send('GET', `/api/v1/photos/${id}/master`);
        await master.arrayBuffer();
        if (master.status !== 200) faults.push(`${id}: fulfilled, its HD file is ${master.status}`);
      }
    }
  }
  return faults;
}

async function balanceOf({ reader }: Database, id: string): Promise<number> {
  const account = await reader
    .selectFrom('accounts')
    .select('balance')
    .where('id', '=', id)
    .executeTakeFirst();
  return Number(account?.balance ?? 0);
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
