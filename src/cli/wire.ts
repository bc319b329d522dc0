import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeChromaPlane, encodeChromaPlane } from '../inference/render/index.js';
import { createScratchFiles } from '../storage/scratch-files.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { JobQueue } from '../studio/ports/queue.js';
import { createRestoreStage, type RestoreStage } from '../studio/stages/restore.js';
import { steadyNow } from '../studio/steady-now.js';
import { type Engine, openEngine } from './engine.js';
import { logHostEvent } from './host-events.js';
import { openBlobs } from './open-blobs.js';
import { placesOf, workerName } from './places.js';
import type { Shell } from './shell.js';

/** What `openWorkParts` opens. */
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
  const clock: Clock = { now, steadyMs: () => performance.now() };
  // From here on it knows when a set clock runs ahead of what has passed.
  steadyNow(clock);
  await removeOldScratch(places.scratch, now());
  const engine = open(shell, {
    logger,
    whenPaused: 'refuse',
    onEvent: (event) => logHostEvent(logger, event),
  });
  const place = await openBlobs(clock, config, role);
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
