import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { createIds, hashText } from '../../src/cli/ids.js';
import {
  decodeChromaPlane,
  encodeChromaPlane,
} from '../../src/inference/render/chroma-plane-file.js';
import { contactSheet } from '../../src/inference/render/contact-sheet.js';
import { createSandboxGateway } from '../../src/payments/sandbox-gateway.js';
import { type DatabaseConfig, openMigratedDatabase } from '../../src/storage/database.js';
import { createScratchFiles } from '../../src/storage/scratch-files.js';
import { createStore } from '../../src/storage/store.js';
import type { StudioConfig } from '../../src/studio/config.js';
import { createContext, createStudio } from '../../src/studio/create-studio.js';
import type { ChatRef, CustomerEvent } from '../../src/studio/jobs.js';
import { createPipeline } from '../../src/studio/pipeline.js';
import type { Clock } from '../../src/studio/ports/basics.js';
import type { ChatChannel } from '../../src/studio/ports/channel.js';
import type { PaymentGateway } from '../../src/studio/ports/gateway.js';
import type { Actor } from '../../src/studio/ports/operator.js';
import type { Store } from '../../src/studio/ports/store.js';
import { createRestoreStage } from '../../src/studio/stages/restore.js';
import { createDirectQueue } from './direct-queue.js';
import { createFolderBlobs } from './folder-blobs.js';
import { keepingLogger } from './quiet.js';
import { createSepiaColorizer } from './sepia-colorizer.js';

export const shopConfig: StudioConfig = {
  prices: {
    ...{ hdCredits: 1, hdAmountFen: 990, hdStars: 70, welcomeCredits: 0, freePreviewsPerDay: 50 },
    packs: [
      { id: 'ten', credits: 10, amountFen: 6900, stars: 500 },
      { id: 'one', credits: 1, amountFen: 990 },
    ],
  },
  presets: {
    auto: { model: 'starter', finishing: {} },
    portrait: { model: 'starter', sizePx: 512, finishing: { warmth: 0.1 } },
  },
  defaultPreset: 'auto',
  variants: [{ finishing: { strength: 0.8 } }, { sizePx: 512, finishing: {} }],
  preview: { longEdgePx: 200, watermark: 'preview' },
  label: { texts: { 'zh-CN': 'AI 合成', en: 'AI' }, producer: 'Huancai', without: 'ask' },
  methods: { web: ['sandbox'], telegram: ['sandbox'], wechat: [] },
  orderMinutes: 30,
  linkCodeMinutes: 10,
  undeliverable: 'refund',
  timeZone: 'Asia/Shanghai',
  intake: { waitingPerCustomer: 100, waitingTotal: 1000, minFreeBytes: 1 },
  retentionDays: { original: 30, chroma: 30, preview: 30, master: 30 },
};

/** The operator at the command line. */
export const clerk: Actor = { door: 'cli', name: 'clerk' };

export type Told = { chat: ChatRef; event: CustomerEvent; key: string };

export interface ShopOptions {
  readonly database?: Partial<DatabaseConfig>;
  readonly config?: Partial<StudioConfig>;
  /** Instead of the sandbox. */
  readonly gateway?: PaymentGateway;
  /** Instead of the machine's, with what `skip` adds. */
  readonly clock?: Clock;
  /** Wraps the store, e.g. to let it fail. */
  readonly wrap?: (store: Store) => Store;
}

/** A whole studio on a fresh database: everything real but the network and the clock. */
export async function openShop(options: ShopOptions = {}) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-shop-'));
  let skippedMs = 0;
  const clock: Clock = options.clock ?? { now: () => Date.now() + skippedMs };
  const database = await openMigratedDatabase(
    { file: path.join(dir, 'studio.db'), ...options.database },
    clock,
  );
  const plain = createStore(database);
  const store = options.wrap?.(plain) ?? plain;
  const queue = createDirectQueue({ store: plain, clock });
  const sandbox = createSandboxGateway(
    { clock },
    { dir: path.join(dir, 'sandbox'), notifyKey: 'k'.repeat(32), baseUrl: () => 'http://shop' },
  );
  const gateway = options.gateway ?? sandbox;
  const told: Told[] = [];
  const files = createScratchFiles({ folder: path.join(dir, 'tmp') });
  const channel: ChatChannel = {
    id: 'web',
    notify: async (chat, _language, event, key) => {
      if (!told.some((one) => one.key === key)) told.push({ chat, event, key });
    },
    fetchFile: async (fileRef, file) => {
      await sharp(fileRef).jpeg().toFile(file);
    },
  };
  const log = keepingLogger();
  const colorizer = createSepiaColorizer();
  const blobs = createFolderBlobs(path.join(dir, 'blobs'));
  const planes = { encode: encodeChromaPlane, decode: decodeChromaPlane };
  const deps = {
    ...{ store, blobs, queue, colorizer, files, planes, clock, log },
    ids: createIds(clock),
    hash: hashText,
    channels: new Map([['web' as const, channel]]),
    gateways: new Map([[gateway.id, gateway]]),
  };
  const context = createContext(deps, { ...shopConfig, ...options.config });
  const studio = createStudio(context);
  const restore = createRestoreStage({ ...deps, makeSheet: contactSheet }, { worker: 'test:1' });
  const pipeline = createPipeline(context, restore);
  let pictures = 0;

  async function picture(size = { width: 320, height: 240 }): Promise<string> {
    pictures += 1;
    const file = path.join(dir, `picture-${pictures}.jpg`);
    const background = { r: (pictures * 7) % 256, g: (pictures * 13) % 256, b: pictures >> 8 };
    await sharp({ create: { ...size, channels: 3, background } })
      .jpeg()
      .toFile(file);
    return file;
  }

  async function newCustomer(userId = `user-${Math.random()}`) {
    const chat: ChatRef = { channel: 'web', chatId: userId };
    return { chat, ...(await studio.identify(chat, userId, 'en')) };
  }
  type Someone = Awaited<ReturnType<typeof newCustomer>>;

  async function submit({ id: customerId, chat }: Someone, file?: string) {
    const key = `upload-${Math.random()}`;
    return studio.submitPhoto({ customerId, chat, key, file: file ?? (await picture()) });
  }

  return {
    ...{ dir, clock, database, store: plain, queue, sandbox, told, blobs, log, colorizer, context },
    ...{ studio, pipeline, picture, newCustomer, submit, chat: channel },
    drain: () => queue.drain(pipeline),
    skip: (ms: number) => {
      skippedMs += ms;
    },
    /** A photo that is ready. */
    readyPhoto: async (someone: Someone) => {
      const { id } = await submit(someone);
      await queue.drain(pipeline);
      return studio.photo(someone.id, id);
    },
    news: () => told.map(({ event }) => event.kind),
    close: async () => {
      studio.close();
      await plain.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type Shop = Awaited<ReturnType<typeof openShop>>;
