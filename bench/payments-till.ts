import type { Kysely } from 'kysely';
import { createIds, hashText } from '../src/cli/ids.js';
import { createDatabaseQueue } from '../src/queue/database-queue.js';
import type { QueueTables } from '../src/queue/database-tables.js';
import { createOutboxRelay } from '../src/queue/outbox-relay.js';
import { auditLedger } from '../src/storage/audit.js';
import { type DatabaseConfig, openMigratedDatabase } from '../src/storage/database.js';
import { createStore } from '../src/storage/store.js';
import { createContext, createStudio } from '../src/studio/create-studio.js';
import type { Handlers } from '../src/studio/jobs.js';
import { createPipeline } from '../src/studio/pipeline.js';
import type { PaymentGateway } from '../src/studio/ports/gateway.js';
import type { Store } from '../src/studio/ports/store.js';
import { shopConfig } from '../tests/support/shop.js';

/** As in config/default.yaml. */
const jobsAtOnce = 8;
const topUpsAtOnce = 16;
const clock = { now: () => Date.now() };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export interface Till {
  /** Orders that wait for their money. @returns their numbers at the provider. */
  order(count: number): Promise<string[]>;
  notify(body: Uint8Array): Promise<void>;
  /** Every notification so far was settled and its customer told. */
  allSettled(): Promise<void>;
  /** @throws when an order is not fulfilled or the books do not add up. */
  prove(): Promise<void>;
  close(): Promise<void>;
}

/** The studio's money side as it ships: store, outbox, relay, queue, stages. */
export async function openTill(config: DatabaseConfig, gateway: PaymentGateway): Promise<Till> {
  const database = await openMigratedDatabase(config, clock);
  const store = createStore(database);
  const dialect = database.dialect === 'postgres' ? 'postgres' : 'sqlite';
  const queue = createDatabaseQueue(
    { db: database.relaxed as Kysely<QueueTables>, clock, logger: quiet },
    { dialect },
  );
  const channel = { id: 'web' as const, notify: async () => {}, fetchFile: async () => {} };
  const context = createContext(
    {
      ...{ store, queue, clock, log: quiet, ids: createIds(clock), hash: hashText },
      channels: new Map([['web' as const, channel]]),
      gateways: new Map([[gateway.id, gateway]]),
      // No photo passes this till.
      ...({ blobs: {}, colorizer: {}, files: {}, planes: {} } as never as Photographic),
    },
    { ...shopConfig, methods: { web: [gateway.id], telegram: [], wechat: [] } },
  );
  const studio = createStudio(context);
  const pipeline = createPipeline(context, { run: async () => {}, gaveUp: async () => {} });
  let settled = 0;
  const handlers: Handlers = {
    ...pipeline.handlers,
    settle: async (job) => {
      await pipeline.handlers.settle(job);
      settled += 1;
    },
  };
  const consumer = queue.consume(['settle', 'notify'], handlers, {
    ...{ concurrency: jobsAtOnce, worker: 'bench:1', onDead: pipeline.onDead },
  });
  const relay = createOutboxRelay({ outbox: outboxOf(store), queue, logger: quiet });
  const unlisten = store.onOutbox(() => relay.wake());
  const numbers: string[] = [];

  async function topUp(customerId: string, index: number): Promise<void> {
    const chat = { channel: 'web', chatId: customerId } as const;
    const options = { key: `wish-${index}`, chat, method: gateway.id };
    const { id } = await studio.topUp(customerId, 'one', options);
    numbers.push((await store.read.charges.ofOrder(id))!.id);
  }

  return {
    async order(count) {
      let next = 0;
      const customer = async (_: unknown, place: number) => {
        const chat = { channel: 'web', chatId: `user-${place}` } as const;
        const { id } = await studio.identify(chat, chat.chatId, 'en');
        for (let index = next++; index < count; index = next++) await topUp(id, index);
      };
      await Promise.all(Array.from({ length: topUpsAtOnce }, customer));
      return numbers;
    },
    async notify(body) {
      const outcome = await studio.receiveNotification(gateway.id, { headers: {}, body });
      if (outcome !== 'accepted') throw new Error(`notification ${outcome}`);
    },
    async allSettled() {
      const empty = async () => (await store.read.outbox.pending(1)).length === 0;
      while (settled < numbers.length || !(await empty()))
        await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async prove() {
      const states = await database.reader.selectFrom('orders').select('state').execute();
      const open = states.filter(({ state }) => state !== 'fulfilled');
      const faults = await auditLedger(database.raw);
      if (open.length > 0 || faults.length > 0)
        throw new Error(`${open.length} orders open, ${faults.length} faults in the books`);
    },
    async close() {
      unlisten();
      await relay.close();
      await consumer.close(5_000);
      studio.close();
      await queue.close();
      await store.close();
    },
  };
}

type Photographic = Pick<
  Parameters<typeof createContext>[0],
  'blobs' | 'colorizer' | 'files' | 'planes'
>;

/** The relay's view of the store. */
function outboxOf(store: Store) {
  return {
    pending: async (limit: number) => {
      const jobs = await store.read.outbox.pending(limit);
      return jobs.map(({ createdMs: _, relayedMs: __, ...job }) => ({ id: job.key, job }));
    },
    markRelayed: (ids: readonly string[]) =>
      store.transaction(({ outbox }) => outbox.relayed(ids, clock.now())),
  };
}
