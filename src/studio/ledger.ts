import assert from 'node:assert/strict';
import { CreditsInsufficient, LedgerConflict } from './errors/index.js';
import type { Clock, Ids } from './ports/basics.js';
import type { Currency, GatewayId } from './ports/gateway.js';
import type { Tables } from './ports/store.js';
import type { AccountRecord } from './records.js';

/** An account by name; it opens at its first transfer. */
export type Account = Omit<AccountRecord, 'balance'>;

/**
 * The chart of accounts. Credits enter the books at `house:sold` and `house:given`, wait with the
 * customer, are set aside while a master is made, and end at `house:spent`. Money enters at its
 * gateway and ends at the house's revenue; a refund goes the same way back.
 */
export const accounts = {
  credits: (customerId: string): Account => credit(`customer:${customerId}:credits`, 'holder'),
  held: (customerId: string): Account => credit(`customer:${customerId}:held`, 'holder'),
  spent: (): Account => credit('house:spent', 'holder'),
  sold: (): Account => credit('house:sold', 'source'),
  given: (): Account => credit('house:given', 'source'),
  gateway: (gateway: GatewayId, currency: Currency): Account => ({
    id: `gateway:${gateway}:${currency}`,
    asset: currency,
    side: 'source',
  }),
  revenue: (currency: Currency): Account => ({
    id: `house:revenue:${currency}`,
    asset: currency,
    side: 'holder',
  }),
};

function credit(id: string, side: Account['side']): Account {
  return { id, asset: 'CREDIT', side };
}

/** A transfer to be made. */
export interface NewTransfer {
  /** Natural: says what it is for, e.g. `paid:ch_...`. */
  readonly key: string;
  readonly from: Account;
  readonly to: Account;
  /** Integer of the asset's smallest unit, above zero. */
  readonly amount: number;
}

/**
 * Move value, once per key. Runs inside the caller's transaction.
 * @throws {LedgerConflict} the key was used for something else.
 * @throws {CreditsInsufficient} the giver has less than that.
 */
export async function transfer(
  tables: Tables,
  { ids, clock }: { ids: Ids; clock: Clock },
  { key, from, to, amount }: NewTransfer,
): Promise<'posted' | 'exists'> {
  assert(Number.isSafeInteger(amount) && amount > 0, `amount ${amount} of ${key}`);
  assert(from.asset === to.asset && from.id !== to.id, `accounts of ${key}`);
  const { ledger } = tables;
  const row = { id: ids.next('transfer'), key, from: from.id, to: to.id, amount };
  const outcome = await ledger.insert({ ...row, asset: from.asset, atMs: clock.now() });
  if (outcome === 'exists') {
    const known = await ledger.byKey(key);
    const same = known?.from === row.from && known.to === row.to && known.amount === amount;
    if (!same || known.asset !== from.asset) throw new LedgerConflict(key);
    return 'exists';
  }
  const changes = [
    { account: from, delta: from.side === 'source' ? amount : -amount },
    { account: to, delta: to.side === 'source' ? -amount : amount },
  ];
  // One order for all transactions, so that two of them cannot wait for each other.
  changes.sort((one, other) => (one.account.id < other.account.id ? -1 : 1));
  for (const { account, delta } of changes) {
    if (await ledger.add(account.id, delta)) continue;
    // Nearly always it is open already, so opening comes second.
    await ledger.openAccount(account);
    if (await ledger.add(account.id, delta)) continue;
    const available = (await ledger.account(account.id))?.balance ?? 0;
    assert(account.asset === 'CREDIT', `${account.id} has ${available}, ${key} takes ${amount}`);
    throw new CreditsInsufficient(amount, available);
  }
  return 'posted';
}

/** Credits a customer can spend now. */
export async function creditsOf(tables: Tables, customerId: string): Promise<number> {
  return (await tables.ledger.account(accounts.credits(customerId).id))?.balance ?? 0;
}
