import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Kysely } from 'kysely';
import { createIds, hashText } from '../../src/cli/ids.js';
import { createMessages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { startDuties } from '../../src/cli/serve/timers.js';
import {
  contactSheet,
  createColorizer,
  createInferenceHost,
  createRenderer,
  decodeChromaPlane,
  encodeChromaPlane,
} from '../../src/inference/index.js';
import { qrSvg } from '../../src/payments/qr.js';
import { createSandboxGateway } from '../../src/payments/sandbox-gateway.js';
import { createDatabaseQueue } from '../../src/queue/database-queue.js';
import type { QueueTables } from '../../src/queue/database-tables.js';
import { createOutboxRelay } from '../../src/queue/outbox-relay.js';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { createFileBlobs } from '../../src/storage/file-blobs.js';
import { createScratchFiles } from '../../src/storage/scratch-files.js';
import { createStore } from '../../src/storage/store.js';
import type { StudioConfig } from '../../src/studio/config.js';
import { createContext, createStudio } from '../../src/studio/create-studio.js';
import { jobNames } from '../../src/studio/jobs.js';
import { limits } from '../../src/studio/limits.js';
import { createPipeline } from '../../src/studio/pipeline.js';
import type { Colorizer } from '../../src/studio/ports/colorizer.js';
import type { PaymentGateway } from '../../src/studio/ports/gateway.js';
import { createRestoreStage } from '../../src/studio/stages/restore.js';
import { createDuties } from '../../src/studio/sweep/index.js';
import type { HealthCheck, WebConfig } from '../../src/web/dependencies.js';
import { createWebServer } from '../../src/web/server.js';
import { createWebChannel } from '../../src/web/web-channel.js';
import { keepingLogger, wallClock } from './quiet.js';
import { freePort } from './redis.js';
import { shopConfig } from './shop.js';

export interface WebStackOptions {
  readonly databaseUrl?: string;
  readonly studio?: Partial<StudioConfig>;
  readonly web?: Partial<WebConfig>;
  /** Instead of the real engine with the starter model. */
  readonly colorizer?: Colorizer;
  readonly health?: readonly HealthCheck[];
  /** Instead of the sandbox. */
  readonly gateways?: readonly PaymentGateway[];
  /** Default: a free one. */
  readonly port?: number;
  /** Keep the data of an earlier stack: a second start. */
  readonly dir?: string;
}

const messages = createMessages(path.join(packageRoot, 'config', 'messages'));

/** The whole product over HTTP: real database, queue, engine and sandbox, on a free port. */
export async function startWebStack(options: WebStackOptions = {}) {
  const dir = options.dir ?? mkdtempSync(path.join(os.tmpdir(), 'huancai-web-'));
  const clock = wallClock;
  const logger = keepingLogger();
  const database = await openMigratedDatabase(
    { file: path.join(dir, 'studio.db'), url: options.databaseUrl },
    clock,
  );
  const store = createStore(database);
  const dialect = database.dialect === 'postgres' ? 'postgres' : 'sqlite';
  const queue = createDatabaseQueue(
    { db: database.relaxed as Kysely<QueueTables>, clock, logger },
    { dialect, pollMs: 100 },
  );
  const colorizer = options.colorizer ?? openStarter();
  let url = '';
  // Known beforehand, for stacks that call themselves something else outside.
  const port = options.port ?? (await freePort());
  const sandbox = createSandboxGateway(
    { clock },
    { dir: path.join(dir, 'sandbox'), notifyKey: 'k'.repeat(32), baseUrl: () => url },
  );
  const blobs = createFileBlobs({ clock }, { folder: path.join(dir, 'blobs') });
  const deps = {
    ...{ store, blobs, queue, colorizer, clock, log: logger },
    files: createScratchFiles({ folder: path.join(dir, 'tmp') }),
    planes: { encode: encodeChromaPlane, decode: decodeChromaPlane },
    ids: createIds(clock),
    hash: hashText,
    channels: new Map([['web' as const, createWebChannel()]]),
    gateways: new Map((options.gateways ?? [sandbox]).map((one) => [one.id, one])),
  };
  const context = createContext(deps, { ...shopConfig, preview, ...options.studio });
  const studio = createStudio(context);
  const restore = createRestoreStage({ ...deps, makeSheet: contactSheet }, { worker: 'test:1' });
  const pipeline = createPipeline(context, restore);
  const consumer = queue.consume(jobNames, pipeline.handlers, { concurrency: 4, worker: 'test:1' });
  const relay = createOutboxRelay({ outbox: outboxOf(store), queue, logger });
  const unlisten = store.onOutbox(() => relay.wake());
  const duties = startDuties(createDuties(context), logger);
  const server = await createWebServer(
    {
      ...{ studio, blobs, messages, logger, clock, qrSvg },
      ...(options.gateways ? {} : { sandbox }),
      gateways: options.gateways ?? [sandbox],
      health: options.health ?? [
        { name: 'queue', check: async () => void (await queue.ping()) },
        { name: 'disk', check: async () => `${await blobs.freeBytes()} bytes free` },
      ],
    },
    {
      ...webConfig,
      port,
      uploadDir: path.join(dir, 'uploads'),
      partDir: path.join(dir, 'parts'),
      ...options.web,
    },
  );
  url = (await server.listen()).url;
  return {
    ...{ url, address: `http://127.0.0.1:${port}`, dir, studio, store, sandbox, logger, context },
    uploadDir: path.join(dir, 'uploads'),
    partDir: path.join(dir, 'parts'),
    close: async (keep = false) => {
      await server.close(1_000);
      await duties.stop();
      unlisten();
      await relay.close();
      await consumer.close(5_000);
      studio.close();
      await queue.close();
      await store.close();
      await colorizer.close();
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The engine as it ships, in its own process. */
function openStarter(): Colorizer {
  const file = path.join(packageRoot, 'models/starter/starter.onnx');
  const host = createInferenceHost({}, { ...limits.inference, providers: ['cpu'], threads: 2 });
  const renderer = createRenderer({ limits: limits.photo, threads: 2 });
  const resolveModel = async () => ({ id: 'starter', file });
  return createColorizer({ host, renderer, resolveModel }, { limits: limits.photo });
}

export type WebStack = Awaited<ReturnType<typeof startWebStack>>;

const preview = { longEdgePx: 1024, watermark: '焕彩 Huancai' };

const webConfig: WebConfig = {
  host: '127.0.0.1',
  port: 0,
  trustProxy: false,
  uploadDir: '',
  partDir: '',
  cookieKey: randomBytes(32).toString('hex'),
  uploadBytes: 20_000_000,
  requestsPerMinutePerAddress: 0,
  requestsPerMinutePerCustomer: 0,
  uploadsPerMinutePerCustomer: 0,
  newCustomersPerHourPerAddress: 0,
  liveConnections: 100,
  liveConnectionsPerCustomer: 5,
};

/** The relay's view of the store. */
function outboxOf(store: ReturnType<typeof createStore>) {
  return {
    pending: async (limit: number) => {
      const jobs = await store.read.outbox.pending(limit);
      return jobs.map((job) => ({ id: job.key, job }));
    },
    markRelayed: (ids: readonly string[]) =>
      store.transaction(({ outbox }) => outbox.relayed(ids, Date.now())),
  };
}
