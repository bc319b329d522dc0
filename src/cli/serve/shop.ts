import { createOutboxRelay } from '../../queue/outbox-relay.js';
import { createChatLog } from '../../storage/chat-store.js';
import { createMonitor } from '../../storage/monitor-store.js';
import { createStore } from '../../storage/store.js';
import { createContext, createStudio } from '../../studio/create-studio.js';
import { type Handlers, type JobsIn, jobsIn, type Lane } from '../../studio/jobs.js';
import { createOperator } from '../../studio/operator.js';
import { createPipeline, type Pipeline } from '../../studio/pipeline.js';
import type { ChannelId, Logger } from '../../studio/ports/basics.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { Consumer, JobQueue } from '../../studio/ports/queue.js';
import type { Store } from '../../studio/ports/store.js';
import { createDuties } from '../../studio/sweep/index.js';
import type { Config } from '../config.js';
import { createIds, hashText } from '../ids.js';
import { openWatch } from '../metrics/watch.js';
import { openQueue, openStudioDatabase, servingAnswerMs } from '../open-queue.js';
import { type OpenedGateways, openAllGateways } from '../payments/all-gateways.js';
import { workerName } from '../places.js';
import type { Shell } from '../shell.js';
import { studioConfigOf } from '../studio/studio-config.js';
import { openRestoreStage, openWorkParts, type WorkParts } from '../wire.js';
import { announce } from '../worker/announce.js';
import { Box } from '../worker/box.js';
import { ModelSupply } from '../worker/model-supply.js';
import { startDuties } from './timers.js';

export interface ShopDeps {
  readonly logger: Logger;
  readonly channels: ReadonlyMap<ChannelId, ChatChannel>;
  /** Origin of our own pages; asked late, since a free port is known late. */
  readonly baseUrl: () => string;
}

export type Shop = Awaited<ReturnType<typeof openShop>>;

/** Database, queue, blobs, engine, gateways and the studio over them; nothing runs yet. */
export async function openShop(shell: Shell, { logger, channels, baseUrl }: ShopDeps) {
  const { config } = shell;
  const database = await openStudioDatabase(shell, servingAnswerMs);
  const parts = await openWorkParts(shell, logger, 'studio');
  const { clock, places } = parts;
  const store = createStore(database);
  const queue = await openQueue({ clock, logger, database: async () => database }, config);
  const watch = openWatch({ clock, logger }, config);
  watch.addCards(parts.engine);
  watch.addStudio({ monitor: createMonitor(database), queue, blobs: parts.blobs });
  const gateways = openAllGateways({ clock, places }, config, baseUrl);
  const { metrics } = watch;
  const deps = { ...parts, store, queue, channels, log: logger, hash: hashText, metrics };
  const context = createContext(
    { ...deps, gateways: gateways.all, ids: createIds(clock) },
    studioConfigOf(config),
  );
  const supply = new ModelSupply(parts.engine.models, clock, logger);
  const box = new Box(shell, parts, supply, workerName());
  const studio = createStudio(context);
  const pipeline = createPipeline(context, openRestoreStage(parts, queue));
  return {
    ...{ parts, store, queue, gateways, context, studio, pipeline, logger, config, box, watch },
    chatLog: createChatLog(database),
    operator: createOperator(context),
  };
}

export interface RunningWork {
  /** No new work; running jobs get `drainMs`, then go back to the queue. */
  drain(drainMs: number): Promise<void>;
}

/** Start relay, stages and sweepers. */
export function startWork(shop: {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly parts: WorkParts;
  readonly context: Parameters<typeof createDuties>[0];
  readonly pipeline: Pipeline;
  readonly logger: Logger;
  readonly config: Config;
  readonly gateways: OpenedGateways;
  /** How this process does as a box of the fleet. */
  readonly box: Box;
}): RunningWork {
  const { store, queue, parts, context, logger, config } = shop;
  const relay = createOutboxRelay({ outbox: outboxOf(store, parts.clock), queue, logger });
  const unlisten = store.onOutbox(() => relay.wake());
  const duties = startDuties(createDuties(context), logger);
  const consumers = consumeAll(shop);
  // A studio that colours is a box like the others.
  const { redisUrl } = config.queue;
  const announced = announce(config.work.photosAtOnce > 0 ? redisUrl : null, shop.box, parts.clock);
  return {
    drain: async (drainMs) => {
      unlisten();
      // What finishing jobs still leave in the outbox waits for the next start.
      const closing = consumers.map((consumer) => consumer.close(drainMs));
      await Promise.all([duties.stop(), relay.close(), announced.stop(), ...closing]);
    },
  };
}

/** Take jobs of every lane; one that nobody consumes does not compile. */
function consumeAll({
  queue,
  pipeline,
  config,
  box,
}: {
  readonly queue: JobQueue;
  readonly pipeline: Pipeline;
  readonly config: Config;
  readonly box: Box;
}): readonly Consumer[] {
  const { handlers, onDead } = pipeline;
  const { photosAtOnce, mastersAtOnce, jobsAtOnce } = config.work;
  const base = { worker: workerName(), onDead };
  const measured: Pick<Handlers, JobsIn<'photos'>> = {
    restore: (job) => box.measured(job, () => handlers.restore(job)),
  };
  const lanes: Readonly<Record<Lane, () => Consumer | undefined>> = {
    light: () => queue.consume(jobsIn('light'), handlers, { ...base, concurrency: jobsAtOnce }),
    masters: () =>
      queue.consume(jobsIn('masters'), handlers, { ...base, concurrency: mastersAtOnce }),
    photos: () => {
      if (photosAtOnce === 0) return undefined;
      const { ready, ability } = box;
      const places = { ...base, ready, ability, concurrency: photosAtOnce };
      return queue.consume(jobsIn('photos'), measured, places);
    },
  };
  return Object.values(lanes)
    .map((open) => open())
    .filter((consumer) => consumer !== undefined);
}

/** The relay's view of the store. */
function outboxOf(store: Store, clock: { now(): number }) {
  return {
    pending: async (limit: number) => {
      const jobs = await store.read.outbox.pending(limit);
      return jobs.map(({ createdMs: _, relayedMs: __, ...job }) => ({ id: job.key, job }));
    },
    markRelayed: (ids: readonly string[]) =>
      store.transaction(({ outbox }) => outbox.relayed(ids, clock.now())),
  };
}
