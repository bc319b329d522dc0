import path from 'node:path';
import { decodeChromaPlane } from '../../inference/render/index.js';
import { createBullQueue } from '../../queue/bull-queue.js';
import { createRedisFleet } from '../../queue/redis-fleet.js';
import { keyOf } from '../../storage/blob-keys.js';
import { createScratchFiles } from '../../storage/scratch-files.js';
import { QueueAway } from '../../studio/errors/index.js';
import { type Engine, openEngine } from '../engine.js';
import { FleetFailed, FleetUnusable } from '../errors.js';
import { createLogger } from '../logger.js';
import { openBlobs } from '../open-blobs.js';
import { placesOf } from '../places.js';
import type { Shell } from '../shell.js';
import type { ColouringEngine } from './colouring-engine.js';
import { createFleetColorizer } from './fleet-colorizer.js';
import { createFleetWatch } from './fleet-watch.js';

/** Photos on their way for each one that is worked on: no box waits for an upload. */
const photosPerPlace = 2;
const mostPhotos = 64;

/**
 * `huancai colorize --fleet`: the network of other boxes, the rest here.
 * @throws {FleetUnusable | ConfigFaulty | BlobsAway} saying what is missing and what to do.
 */
export async function openFleetEngine(shell: Shell): Promise<ColouringEngine> {
  const { config, now } = shell;
  const clock = { now };
  const { redisUrl, leaseMs } = config.queue;
  if (!redisUrl) throw new FleetUnusable('noRedis');
  const place = await openBlobs(clock, config, 'worker');
  if (place.kind === 'folder') throw new FleetUnusable('noBlobs');
  const keepDoneMs = config.queue.keepDoneDays * 86_400_000;
  const queue = createBullQueue(
    // What the queue has to say of an absence is said in our words (fleet-watch.ts).
    {
      clock,
      logger: createLogger({
        ...{ level: 'error', terminal: shell.output.terminal, destination: process.stderr },
      }),
    },
    { redisUrl, leaseMs, keepDoneMs },
  );
  const fleet = createRedisFleet({ clock }, { redisUrl });
  const close = async () => {
    fleet.close();
    await queue.close().catch(() => {});
  };
  try {
    const boxes = await boxesOf(queue, fleet, redisUrl);
    // Somebody must answer there: else every photo would wait for it.
    await place.blobs.has(keyOf('original', '0'.repeat(64)));
    const engine = openEngine(shell);
    const watch = createFleetWatch(fleet, shell);
    // Every photo asks; telling means reading the model's file.
    const identities = new Map<string, ReturnType<typeof identify>>();
    const colorizer = createFleetColorizer({
      ...{ local: engine.colorizer, queue, blobs: place.blobs, watch },
      files: createScratchFiles({ folder: path.join(placesOf(config).scratch, `${process.pid}`) }),
      planes: { decode: decodeChromaPlane },
      identify: (model) => {
        const identity = identities.get(model) ?? identify(engine, model);
        identities.set(model, identity);
        identity.catch(() => identities.delete(model));
        return identity;
      },
    });
    const places = boxes.reduce((sum, box) => sum + box.photosAtOnce, 0);
    return {
      ...engine,
      colorizer,
      elsewhere: true,
      photosAtOnce: Math.min(mostPhotos, photosPerPlace * places + 2),
      close: async () => {
        watch.close();
        await colorizer.close();
        await engine.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function identify({ models, modelHash }: Engine, model: string) {
  const { id, entry } = await models.resolve(model);
  // A file, or one that was imported here: boxes would look for it in vain, or find another.
  if (!entry) throw FleetFailed.ownModel(model);
  return { id, sha256: await modelHash(model) };
}

async function boxesOf(
  queue: { ping(): Promise<void> },
  fleet: ReturnType<typeof createRedisFleet>,
  redisUrl: string,
) {
  try {
    await queue.ping();
    const boxes = await fleet.list();
    if (boxes.length === 0) throw new FleetUnusable('noWorker');
    return boxes;
  } catch (error) {
    // The password stays out of it.
    if (error instanceof QueueAway)
      throw new FleetUnusable('redisAway', { place: new URL(redisUrl).host }, error);
    throw error;
  }
}
