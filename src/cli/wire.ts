import { mkdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Kysely } from 'kysely';
import { decodeChromaPlane, encodeChromaPlane } from '../inference/index.js';
import { createBullQueue } from '../queue/bull-queue.js';
import { createDatabaseQueue } from '../queue/database-queue.js';
import type { QueueTables } from '../queue/database-tables.js';
import { type Database, openMigratedDatabase } from '../storage/database.js';
import { createScratchFiles } from '../storage/scratch-files.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { JobQueue } from '../studio/ports/queue.js';
import { createRestoreStage, type RestoreStage } from '../studio/stages/restore.js';
import type { Config } from './config.js';
import { type Engine, openEngine } from './engine.js';
import { openBlobs } from './open-blobs.js';
import { logHostEvent } from './serve/host-events.js';
import type { Shell } from './shell.js';

/** Name of this process in leases and timelines. */
export const workerName = () => `${os.hostname()}:${process.pid}`;

/** Folders and files of an installation. */
export function placesOf(config: Config) {
  const { dataDir } = config.paths;
  const below = (...names: string[]) => path.join(dataDir, ...names);
  return {
    dataDir,
    database: below('studio.db'),
    blobs: below('blobs'),
    uploads: below('uploads'),
    fleetUploads: below('fleet-uploads'),
    scratch: below('tmp'),
    sandbox: below('sandbox'),
    key: (name: string) => below('keys', name),
  };
}

/** The studio's database, its schema up to date. */
export function openStudioDatabase({ config, now }: Pick<Shell, 'config' | 'now'>) {
  const { url, connections } = config.database;
  mkdirSync(config.paths.dataDir, { recursive: true, mode: 0o700 });
  const file = placesOf(config).database;
  return openMigratedDatabase({ file, url: url ?? undefined, connections }, { now });
}

/**
 * The queue the settings ask for: bull with REDIS_URL, else a table in the database.
 * @param database asked for only when it is needed.
 */
export async function openQueue(
  deps: { clock: Clock; logger: Logger; database: () => Promise<Database> },
  config: Config,
): Promise<JobQueue> {
  const { redisUrl, pollMs, leaseMs, maxAttempts, maxLostWorkers, keepDoneDays } = config.queue;
  const keepDoneMs = keepDoneDays * 86_400_000;
  const policy = { leaseMs, maxAttempts, maxLostWorkers, keepDoneMs };
  const { maxLostWorkersPerPhoto } = config.queue;
  if (redisUrl) return createBullQueue(deps, { redisUrl, ...policy, maxLostWorkersPerPhoto });
  const { relaxed, dialect } = await deps.database();
  // A job taken or finished that a power cut undoes is done again: handlers are made for that.
  const db = relaxed as unknown as Kysely<QueueTables>;
  return createDatabaseQueue({ db, ...deps }, { dialect, pollMs, ...policy });
}

export type WorkParts = Awaited<ReturnType<typeof openWorkParts>>;

/**
 * What every process that works on photos needs: engine, blobs, scratch space.
 * @param open a simulated fleet brings an engine that only takes time.
 */
export async function openWorkParts(
  shell: Shell,
  logger: Logger,
  role: 'studio' | 'worker',
  open: typeof openEngine = openEngine,
) {
  const { config, now } = shell;
  const places = placesOf(config);
  const clock: Clock = { now };
  await removeOldScratch(places.scratch, now());
  const engine = open(shell, {
    logger,
    whenPaused: 'refuse',
    onEvent: (event) => logHostEvent(logger, event),
  });
  const place = openBlobs(clock, config, role);
  return {
    clock,
    places,
    engine,
    colorizer: engine.colorizer,
    blobs: place.blobs,
    place,
    files: createScratchFiles({ folder: path.join(places.scratch, `${process.pid}`) }),
    planes: { encode: encodeChromaPlane, decode: decodeChromaPlane },
  };
}

/** The stage that GPU workers run, over any queue. */
export function openRestoreStage(parts: WorkParts, queue: JobQueue): RestoreStage {
  const makeSheet = (parts.engine as Engine).contactSheet;
  return createRestoreStage({ ...parts, makeSheet, queue }, { worker: workerName() });
}

/** Scratch folders of processes that were killed; a day is longer than any photo takes. */
async function removeOldScratch(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const dir = path.join(folder, name);
    const facts = await stat(dir).catch(() => undefined);
    if (facts && nowMs - facts.mtimeMs > 86_400_000)
      await rm(dir, { recursive: true, force: true });
  }
}
