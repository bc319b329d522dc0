import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { createIds } from '../../src/cli/ids.js';
import { auditLedger } from '../../src/storage/audit.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import { createStore } from '../../src/storage/store.js';
import { StudioError } from '../../src/studio/errors/index.js';
import { type Account, accounts, transfer } from '../../src/studio/ledger.js';
import type { Store } from '../../src/studio/ports/store.js';
import { wallClock } from '../support/quiet.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-ledger-'));
const deps = { ids: createIds(wallClock), clock: wallClock };
let database: Database;
let store: Store;
let runs = 0;

beforeEach(async () => {
  await fresh();
});
afterEach(() => store.close());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function fresh(): Promise<void> {
  runs += 1;
  database = await openMigratedDatabase({ file: path.join(dir, `${runs}.db`) }, wallClock);
  store = createStore(database);
}

/** Somewhere to set credits aside that no hold vouches for. */
const aside: Account = { id: 'aside', asset: 'CREDIT', side: 'holder' };

/** What may happen between two customers and the house. */
const routes: readonly (readonly [Account, Account])[] = [
  [accounts.given(), accounts.credits('a')],
  [accounts.sold(), accounts.credits('b')],
  [accounts.credits('a'), aside],
  [aside, accounts.spent()],
  [aside, accounts.credits('a')],
  [accounts.credits('a'), accounts.credits('b')],
  [accounts.credits('b'), accounts.sold()],
];

const step = fc.record({
  route: fc.nat(routes.length - 1),
  amount: fc.integer({ min: 1, max: 20 }),
  /** Few keys, so that many collide. */
  key: fc.nat(25),
});

test('on any sequence the books agree with a model, balance, and never go below zero', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      await fresh();
      const balances = new Map<string, number>();
      const keys = new Map<string, string>();
      for (const { route, amount, key } of steps) {
        const [from, to] = routes[route]!;
        const outcome = await store
          .transaction((tables) => transfer(tables, deps, { key: `k${key}`, from, to, amount }))
          .catch((error) => (error instanceof StudioError ? error.code : Promise.reject(error)));
        expect(outcome).toBe(expected(balances, keys, `k${key}`, from, to, amount));
      }
      for (const [id, balance] of balances) {
        expect((await store.read.ledger.account(id))?.balance ?? 0).toBe(balance);
      }
      expect(await auditLedger(database.raw)).toEqual([]);
      await store.close();
    }),
    { numRuns: 40 },
  );
  await fresh();
});

function expected(
  balances: Map<string, number>,
  keys: Map<string, string>,
  key: string,
  from: Account,
  to: Account,
  amount: number,
): string {
  const content = `${from.id} ${to.id} ${amount}`;
  const known = keys.get(key);
  if (known !== undefined) return known === content ? 'exists' : 'LEDGER_CONFLICT';
  const change = (account: Account, given: boolean) =>
    given === (account.side === 'source') ? amount : -amount;
  const after = [
    [from.id, (balances.get(from.id) ?? 0) + change(from, true)],
    [to.id, (balances.get(to.id) ?? 0) + change(to, false)],
  ] as const;
  if (after.some(([, balance]) => balance < 0)) return 'CREDITS_INSUFFICIENT';
  keys.set(key, content);
  for (const [id, balance] of after) balances.set(id, balance);
  return 'posted';
}

test('an amount that is no positive integer is a bug of ours', async () => {
  for (const amount of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
    const [from, to] = [accounts.given(), accounts.credits('a')];
    await expect(
      store.transaction((tables) => transfer(tables, deps, { key: 'k', from, to, amount })),
      // Said by us before the database is asked: its CHECK would name the column too.
    ).rejects.toThrow(`amount ${amount} of k`);
  }
});

test('assets do not mix', async () => {
  const [from, to] = [accounts.gateway('alipay', 'CNY'), accounts.credits('a')];
  await expect(
    store.transaction((tables) => transfer(tables, deps, { key: 'k', from, to, amount: 1 })),
  ).rejects.toThrow('accounts of k');
});
