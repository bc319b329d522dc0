import type { Context } from './context.js';
import { lockCustomer } from './customers.js';
import { InvalidRequest, NotFound } from './errors/index.js';
import { accounts, creditsOf, transfer } from './ledger.js';
import { limits } from './limits.js';
import type { CodesWanted } from './ports/operator.js';
import type { Tables } from './ports/store.js';

const linkCodeLength = 8;
const creditCodeLength = 16;

/** As people type them: any case, with blanks and dashes. */
const plain = (code: string) => code.toUpperCase().replace(/[\s-]/g, '').slice(0, 64);

/** A one-time code that joins another channel's customer to this one. Only its hash is kept. */
export async function createLinkCode(context: Context, customerId: string) {
  const { store, clock, config, ids, hash } = context;
  const code = ids.code(linkCodeLength);
  const expiresAtMs = clock.now() + config.linkCodeMinutes * 60_000;
  await store.transaction(async (tables) => {
    const customer = await lockCustomer(tables, customerId);
    await tables.codes.addLink(hash(`link:${code}`), customer.id, expiresAtMs);
  });
  return { code, expiresAtMs };
}

/** Joins the two: credits, photos and orders of who typed the code go to who made it. */
export async function redeemLinkCode(context: Context, customerId: string, code: string) {
  const { store, clock, hash } = context;
  const into = await store.transaction(async (tables) => {
    const maker = await tables.codes.takeLink(hash(`link:${plain(code)}`), clock.now());
    if (maker === undefined) throw new NotFound('code');
    return join(tables, context, customerId, maker);
  });
  context.live.emit({ customerId, kind: 'credits' });
  context.live.emit({ customerId: into, kind: 'credits' });
}

/**
 * What is `fromId`'s goes to `toId`; both stay usable.
 * @returns the id of who has both now.
 */
export async function join(tables: Tables, context: Context, fromId: string, toId: string) {
  // One order of locks, whoever links whom.
  for (const id of [fromId, toId].sort()) await lockCustomer(tables, id);
  const to = await lockCustomer(tables, toId);
  const from = await lockCustomer(tables, fromId);
  if (to.id !== from.id) await merge(tables, context, from.id, to.id);
  return to.id;
}

async function merge(tables: Tables, context: Context, fromId: string, toId: string) {
  await takeBackWelcome(tables, context, fromId);
  for (const kind of ['credits', 'held'] as const) {
    const from = accounts[kind](fromId);
    const amount = (await tables.ledger.account(from.id))?.balance ?? 0;
    if (amount === 0) continue;
    const key = `merged:${fromId}:${kind}`;
    await transfer(tables, context, { key, from, to: accounts[kind](toId), amount });
  }
  await tables.customers.move(fromId, toId);
  await tables.customers.update(fromId, { mergedInto: toId });
}

/** One person, one welcome: else every new browser would be worth credits. */
async function takeBackWelcome(tables: Tables, context: Context, fromId: string): Promise<void> {
  const welcome = await tables.ledger.byKey(`welcome:${fromId}`);
  if (!welcome) return;
  const amount = Math.min(welcome.amount, await creditsOf(tables, fromId));
  if (amount === 0) return;
  await transfer(tables, context, {
    key: `welcome-returned:${fromId}`,
    from: accounts.credits(fromId),
    to: accounts.given(),
    amount,
  });
}

/** Credits for a code the operator gave out; once. */
export async function redeemCreditCode(context: Context, customerId: string, code: string) {
  const { store, clock, hash } = context;
  const hashed = hash(`credit:${plain(code)}`);
  const credits = await store.transaction(async (tables) => {
    const { id } = await lockCustomer(tables, customerId);
    const worth = await tables.codes.takeCredit(hashed, id, clock.now());
    if (worth === undefined) throw new NotFound('code');
    await transfer(tables, context, {
      key: `code:${hashed}`,
      from: accounts.given(),
      to: accounts.credits(id),
      amount: worth,
    });
    return worth;
  });
  context.live.emit({ customerId, kind: 'credits' });
  return { credits };
}

/**
 * New codes; shown this once, only hashes are kept.
 * @throws {InvalidRequest}
 */
export async function createCreditCodes(
  tables: Pick<Tables, 'codes'>,
  { ids, hash, clock }: Pick<Context, 'ids' | 'hash' | 'clock'>,
  wanted: CodesWanted,
): Promise<string[]> {
  const max = limits.studio.creditCodesPerBatch;
  const { credits, count, batch, expiresMs } = wanted;
  if (!Number.isInteger(count) || count < 1 || count > max) {
    throw new InvalidRequest('count', `1 … ${max}`, String(count));
  }
  if (!Number.isInteger(credits) || credits < 1 || credits > 1_000_000) {
    throw new InvalidRequest('credits', '1 … 1000000', String(credits));
  }
  if (expiresMs !== null && expiresMs <= clock.now()) {
    const iso = (atMs: number) => new Date(atMs).toISOString();
    throw new InvalidRequest('expires', `> ${iso(clock.now())}`, iso(expiresMs));
  }
  const codes = Array.from({ length: count }, () => ids.code(creditCodeLength));
  for (const code of codes) {
    await tables.codes.addCredit(hash(`credit:${code}`), batch, credits, expiresMs);
  }
  return codes.map((code) => (code.match(/.{4}/g) as string[]).join('-'));
}
