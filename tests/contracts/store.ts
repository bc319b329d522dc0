import { sql } from 'kysely';
import { createIds } from '../../src/cli/ids.js';
import { auditLedger } from '../../src/storage/audit.js';
import type { Database } from '../../src/storage/database.js';
import { createStore } from '../../src/storage/store.js';
import { LedgerConflict } from '../../src/studio/errors/index.js';
import type { NewJob } from '../../src/studio/jobs.js';
import { accounts, creditsOf, transfer } from '../../src/studio/ledger.js';
import type { Store, Tables } from '../../src/studio/ports/store.js';
import type { CustomerRecord, PhotoRecord } from '../../src/studio/records.js';
import { wallClock } from '../support/quiet.js';

export interface StoreFixture {
  /** A fresh database. `again` opens the same one, as another process would. */
  open(): Promise<{ database: Database; again: () => Promise<Database> }>;
  stop(): Promise<void>;
}

const deps = { ids: createIds(wallClock), clock: wallClock };

/** What every database must do. */
export function storeContract(prepare: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  let database: Database;
  let again: () => Promise<Database>;
  let store: Store;
  beforeAll(async () => {
    fixture = await prepare();
  });
  afterAll(() => fixture.stop());
  beforeEach(async () => {
    ({ database, again } = await fixture.open());
    store = createStore(database);
  });
  afterEach(() => store.close());

  test('records come back as they were written', async () => {
    const customer = await addCustomer(store);
    expect(await store.read.customers.find(customer.id)).toEqual(customer);
    const photo = photoOf(customer.id);
    await store.transaction(({ photos }) => photos.insert(photo));
    expect(await store.read.photos.find(photo.id)).toEqual(photo);
    const error = { code: 'X', messageKey: 'x', params: { limit: 3 } };
    await store.transaction(({ photos }) => photos.update(photo.id, { error, widthPx: 20_000 }));
    const changed = { ...photo, error, widthPx: 20_000 };
    expect(await store.read.photos.find(photo.id)).toEqual(changed);
    expect(await store.read.photos.byKey(customer.id, photo.key)).toEqual(changed);
    expect(await store.read.photos.countWaiting({ customerId: customer.id })).toBe(1);
  });

  test('a transaction that fails leaves nothing', async () => {
    const customer = customerOf();
    const work = async ({ customers }: Tables) => {
      await customers.insert(customer);
      throw new Error('no');
    };
    await expect(store.transaction(work)).rejects.toThrow('no');
    expect(await store.read.customers.find(customer.id)).toBeUndefined();
  });

  test('one that fails among many at once is undone alone', async () => {
    const customers = Array.from({ length: 12 }, customerOf);
    const works = customers.map((customer, i) =>
      store.transaction(async (tables) => {
        await tables.customers.insert(customer);
        if (i % 3 === 0) throw new Error(`no ${i}`);
        return customer.id;
      }),
    );
    const outcomes = await Promise.allSettled(works);
    for (const [i, outcome] of outcomes.entries()) {
      const { id } = customers[i]!;
      expect((await store.read.customers.find(id))?.id).toBe(i % 3 === 0 ? undefined : id);
      if (outcome.status === 'fulfilled') expect(outcome.value).toBe(id);
      else expect(outcome.reason.message).toBe(`no ${i}`);
    }
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(4);
  });

  test('reading meanwhile neither waits for a transaction nor sees its half', async () => {
    const customer = customerOf();
    await store.transaction(async ({ customers }) => {
      await customers.insert(customer);
      expect(await store.read.customers.find(customer.id)).toBeUndefined();
    });
    expect(await store.read.customers.find(customer.id)).toEqual(customer);
  });

  test('an identity belongs to the first who claims it', async () => {
    const [one, other] = [await addCustomer(store), await addCustomer(store)];
    const identity = { channel: 'web', userId: 'u', chatId: 'c', seenMs: 5 } as const;
    const claim = (customerId: string) =>
      store.transaction(({ customers }) => customers.addIdentity({ ...identity, customerId }));
    const outcomes = await Promise.all([claim(one.id), claim(other.id)]);
    expect(outcomes.sort()).toEqual(['added', 'exists']);
  });

  test('transfers happen once per key and never change', async () => {
    const { id } = await addCustomer(store);
    const gift = { key: `gift:${id}`, from: accounts.given(), to: accounts.credits(id), amount: 5 };
    const give = (amount = 5) =>
      store.transaction((tables) => transfer(tables, deps, { ...gift, amount }));
    expect(await give()).toBe('posted');
    expect(await give()).toBe('exists');
    await expect(give(6)).rejects.toThrow(LedgerConflict);
    expect(await creditsOf(store.read, id)).toBe(5);
    for (const statement of ['update transfers set amount = 6', 'delete from transfers']) {
      expect(await complaint(database, statement)).toContain('append-only');
    }
    expect(await auditLedger(database.raw)).toEqual([]);
  });

  test('a key stands for one asset too: the same sum of another is other content', async () => {
    const side = { from: 'source', to: 'holder' } as const;
    const account = (id: 'from' | 'to', asset: 'CREDIT' | 'CNY') => ({ id, asset, side: side[id] });
    const move = (asset: 'CREDIT' | 'CNY') =>
      store.transaction((tables) => {
        const [from, to] = [account('from', asset), account('to', asset)];
        return transfer(tables, deps, { key: 'asset', from, to, amount: 5 });
      });
    expect(await move('CREDIT')).toBe('posted');
    expect(await move('CREDIT')).toBe('exists');
    await expect(move('CNY')).rejects.toThrow(LedgerConflict);
    expect((await store.read.ledger.account('to'))?.balance).toBe(5);
  });

  test('an amount of nothing is refused before the database is asked', async () => {
    const { id } = await addCustomer(store);
    const [from, to] = [accounts.given(), accounts.credits(id)];
    const move = () =>
      store.transaction((tables) =>
        transfer(tables, deps, { key: `0:${id}`, from, to, amount: 0 }),
      );
    await expect(move()).rejects.toThrow(`amount 0 of 0:${id}`);
    expect(await store.read.ledger.byKey(`0:${id}`)).toBeUndefined();
  });

  test('the database itself refuses a negative balance and a transfer out of nowhere', async () => {
    const { id } = await addCustomer(store);
    await store.transaction(({ ledger }) => ledger.openAccount(accounts.credits(id)));
    const statement = `update accounts set balance = -1 where id = '${accounts.credits(id).id}'`;
    expect(await complaint(database, statement)).toMatch(/check/i);
    const lost = `insert into transfers (id, key, "from", "to", amount, asset, at_ms)
      values ('t', 'k', 'nobody', '${accounts.credits(id).id}', 1, 'CREDIT', 1)`;
    expect(await complaint(database, lost)).toMatch(/foreign key/i);
  });

  test('racing spenders never spend more than there is', async () => {
    const { id } = await addCustomer(store);
    const [from, to] = [accounts.credits(id), accounts.spent()];
    await store.transaction((tables) =>
      transfer(tables, deps, { key: `g:${id}`, from: accounts.given(), to: from, amount: 3 }),
    );
    const second = createStore(await again());
    const spends = Array.from({ length: 40 }, (_, i) =>
      [store, second]
        [i % 2]!.transaction((tables) =>
          transfer(tables, deps, { key: `s:${id}:${i}`, from, to, amount: 1 }),
        )
        .catch((error) => error.code as string),
    );
    const outcomes = await Promise.all(spends);
    expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'CREDITS_INSUFFICIENT')).toHaveLength(37);
    expect(await creditsOf(store.read, id)).toBe(0);
    expect(await auditLedger(database.raw)).toEqual([]);
    await second.close();
  });

  test('transactions that would wait for each other both get through', async () => {
    const [one, other] = [await addCustomer(store), await addCustomer(store)];
    const touch = (first: string, second: string) =>
      store.transaction(async ({ customers }) => {
        await customers.lock(first);
        await new Promise((resolve) => setTimeout(resolve, 30));
        await customers.lock(second);
        await customers.update(second, { preset: 'portrait' });
      });
    await Promise.all([touch(one.id, other.id), touch(other.id, one.id)]);
    expect((await store.read.customers.find(one.id))?.preset).toBe('portrait');
    expect((await store.read.customers.find(other.id))?.preset).toBe('portrait');
  });

  test('the outbox keeps a job until it is done and wakes the relay after the commit', async () => {
    let woken = 0;
    store.onOutbox(() => {
      woken += 1;
    });
    const job: NewJob = {
      ...{ name: 'intake', key: 'intake:p', payload: { photoId: 'p' }, priority: 5, group: 'c' },
      notBeforeMs: 7,
    };
    await store.transaction(({ outbox }) => outbox.add(job, 1));
    await store.transaction(({ outbox }) => outbox.add({ ...job, priority: 1 }, 2));
    expect(woken).toBe(2);
    const stored = { ...job, createdMs: 1, relayedMs: null };
    expect(await store.read.outbox.pending(10)).toEqual([stored]);
    expect(await store.read.outbox.backlog(11)).toEqual({ jobs: 1, oldestMs: 10 });
    await store.transaction(({ outbox }) => outbox.relayed([job.key], 20));
    expect(await store.read.outbox.pending(10)).toEqual([]);
    expect(await store.read.outbox.overdue(5, 20, 10)).toEqual([]);
    expect(await store.read.outbox.overdue(5, 21, 10)).toEqual([{ ...stored, relayedMs: 20 }]);
    await store.transaction(({ outbox }) => outbox.done([job.key]));
    expect(await store.read.outbox.find(job.key)).toBeUndefined();
  });

  test('a job that is not due yet is not overdue', async () => {
    const job: NewJob = {
      ...{ name: 'intake', key: 'later', payload: { photoId: 'p' }, priority: 5, group: 'c' },
      notBeforeMs: 1_000,
    };
    await store.transaction(({ outbox }) => outbox.add(job, 1));
    await store.transaction(({ outbox }) => outbox.relayed([job.key], 2));
    expect(await store.read.outbox.overdue(5, 1_000, 10)).toEqual([]);
    expect(await store.read.outbox.overdue(5, 1_001, 10)).toMatchObject([{ key: 'later' }]);
  });

  test('notifications belong to their gateway and their order', async () => {
    const news = (gateway: 'alipay' | 'wechatpay', key: string, outTradeNo: string) => ({
      ...{ gateway, key, outTradeNo, outRefundNo: null, status: { kind: 'other' } },
      ...{ receivedMs: 1, handledMs: null },
    });
    const all = [news('alipay', 'n1', 'ch_1'), news('wechatpay', 'n1', 'ch_2')];
    const add = () =>
      store.transaction(async ({ inbox }) => {
        const outcomes = [];
        for (const one of all) outcomes.push(await inbox.add(one));
        return outcomes;
      });
    expect(await add()).toEqual(['added', 'added']);
    expect(await add()).toEqual(['exists', 'exists']);
    const waiting = (outTradeNo?: string) =>
      store.read.inbox.unhandled({ limit: 10, ...(outTradeNo ? { outTradeNo } : {}) });
    expect(await waiting('ch_2')).toEqual([all[1]]);
    await store.transaction(({ inbox }) => inbox.handled('alipay', 'n1', 5));
    expect(await waiting()).toEqual([all[1]]);
  });

  test('a finding is settled once', async () => {
    const finding = {
      ...{ id: 'q_1', gateway: 'alipay', key: 'k', outTradeNo: 'ch_1', reason: 'amount' },
      ...{ status: { state: 'paid' }, resolvedMs: null, atMs: 1 },
    } as const;
    await store.transaction(({ inbox }) => inbox.quarantine(finding as never));
    const resolve = () => store.transaction(({ inbox }) => inbox.resolve('q_1', 2));
    expect(await resolve()).toBe(true);
    expect(await resolve()).toBe(false);
    expect(await store.read.inbox.quarantined(10)).toEqual([]);
  });

  test('codes work once and not after their time', async () => {
    await store.transaction(async ({ codes }) => {
      await codes.addLink('a', 'cu_1', 100);
      await codes.addCredit('b', 'spring', 5, null);
      await codes.addCredit('c', 'spring', 5, 100);
    });
    const take = <T>(work: (tables: Tables) => Promise<T>) => store.transaction(work);
    expect(await take(({ codes }) => codes.takeLink('a', 100))).toBeUndefined();
    expect(await take(({ codes }) => codes.takeLink('a', 99))).toBe('cu_1');
    expect(await take(({ codes }) => codes.takeLink('a', 99))).toBeUndefined();
    expect(await take(({ codes }) => codes.takeCredit('b', 'cu_2', 200))).toBe(5);
    expect(await take(({ codes }) => codes.takeCredit('b', 'cu_2', 200))).toBeUndefined();
    expect(await take(({ codes }) => codes.takeCredit('c', 'cu_2', 100))).toBeUndefined();
  });

  test('processes that start together migrate once', async () => {
    const opened = await Promise.all([again(), again(), again()]);
    await Promise.all(opened.map((one) => one.close()));
    expect(await auditLedger(database.raw)).toEqual([]);
  });
}

function customerOf(): CustomerRecord {
  return {
    ...{ id: deps.ids.next('customer'), code: deps.ids.code(8), language: 'zh-CN', preset: 'auto' },
    ...{ finishing: { warmth: 0.2 }, createdMs: Date.now(), erasedMs: null, mergedInto: null },
  };
}

async function addCustomer(store: Store): Promise<CustomerRecord> {
  const customer = customerOf();
  await store.transaction(({ customers }) => customers.insert(customer));
  return customer;
}

function photoOf(customerId: string): PhotoRecord {
  return {
    ...{ id: deps.ids.next('photo'), customerId, state: 'queued', key: 'message 1' },
    ...{
      chat: { channel: 'web', chatId: '老照片' },
      fileRef: null,
      fileName: 'grandma',
      albumId: null,
      preset: 'auto',
    },
    ...{ originalKey: 'original/1', widthPx: 4032, heightPx: 3024, sheetKey: null },
    ...{
      selectedLookId: null,
      masterKey: null,
      screenKey: null,
      labelChoice: null,
      labelChosenMs: null,
      masterLookId: null,
      error: null,
      runs: 1,
    },
    ...{ createdMs: Date.now(), updatedMs: Date.now() },
  };
}

/** The driver's own words. Its error class may come from another test file's realm. */
async function complaint(database: Database, statement: string): Promise<string> {
  try {
    await sql.raw(statement).execute(database.raw);
    return 'none';
  } catch (error) {
    return String((error as { message: unknown }).message);
  }
}
