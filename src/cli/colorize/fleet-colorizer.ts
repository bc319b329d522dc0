import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import path from 'node:path';
import { meanChromaOf } from '../../studio/chroma-plane.js';
import { BlobMissing, DiskUnavailable } from '../../studio/errors/index.js';
import {
  type NewRestore,
  type PlaneResult,
  type PlanesOrder,
  type PlanesOutcome,
  priorities,
} from '../../studio/jobs.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type {
  Colorizer,
  Prediction,
  PredictOptions,
  RunContext,
} from '../../studio/ports/colorizer.js';
import type { ChromaCodec, Files } from '../../studio/ports/files.js';
import type { JobInfo, JobQueue } from '../../studio/ports/queue.js';
import { FleetFailed } from '../errors.js';
import type { FleetWatch } from './fleet-watch.js';

export interface FleetColorizerDeps {
  /** Looks at photos and renders them; predicts nothing. */
  readonly local: Colorizer;
  readonly queue: Pick<JobQueue, 'add' | 'find' | 'cancel' | 'onProgress'>;
  readonly blobs: Pick<Blobs, 'putFile' | 'localFile'>;
  readonly files: Files;
  readonly planes: Pick<ChromaCodec, 'decode'>;
  readonly watch: FleetWatch;
  /** Catalog id and hash of a model. @throws {ModelMissing | FleetFailed} */
  readonly identify: (model: string) => Promise<{ readonly id: string; readonly sha256: string }>;
}

/** Looks at a job this often, ms: of the photos in flight only, each a round trip. */
const lookEveryMs = 250;
/** Rounds of one photo: answers of earlier runs that are no use, blobs that were swept away. */
const maxRounds = 20;

type Answer = Extract<PlanesOutcome, { ok: true }>;

/**
 * A colouriser whose network runs on other boxes: the photo goes to the blobs, a `restore` job that
 * wants planes only goes to the queue, its answer comes back. Jobs are named by content, so a run
 * that goes on after a power cut finds what was done meanwhile. Whatever cannot be reached is
 * waited for.
 */
export function createFleetColorizer(deps: FleetColorizerDeps): Colorizer {
  const { local, watch } = deps;
  const shares = new Map<string, (share: number) => void>();
  const unlisten = deps.queue.onProgress(({ key, share }) => shares.get(key)?.(share));

  async function predict(
    file: string,
    options: PredictOptions,
    context: RunContext = {},
  ): Promise<Prediction> {
    const photo = await local.inspect(file);
    const model = await deps.identify(options.model);
    const { signal } = context;
    for (let round = 1; round <= maxRounds; round++) {
      const originalKey = await watch.patiently(() => upload(deps, file), signal);
      const job = jobFor(orderFor(originalKey, model.id, options), model.sha256, round);
      shares.set(job.key, (share) => context.onProgress?.(0.1 + 0.9 * share));
      const { own, info } = await ask(deps, job, signal).finally(() => shares.delete(job.key));
      const answer = answerOf(info, own);
      const made = answer && (await watch.patiently(() => fetchPlane(deps, answer), signal));
      if (!made) continue;
      context.onProgress?.(1);
      return { ...made, notes: [...photo.notes, ...made.notes] };
    }
    throw FleetFailed.gaveUp(`${maxRounds} times`);
  }

  return {
    inspect: (file) => local.inspect(file),
    predict,
    render: (file, chroma, output, options, context) =>
      local.render(file, chroma, output, options, context),
    // The local one is its owner's to close.
    close: async () => unlisten(),
  };
}

/** The store takes the file it is given: it gets a copy, without the place where it was taken. */
function upload({ blobs, files }: FleetColorizerDeps, file: string): Promise<string> {
  return files.scratch(async (dir) => {
    const copy = path.join(dir, 'photo');
    await copyFile(file, copy, constants.COPYFILE_FICLONE).catch((error: Error) => {
      throw new DiskUnavailable(copy, error.message, error);
    });
    // A copy of a file that nobody may write is one as well.
    await chmod(copy, 0o600);
    await files.removeLocation(copy);
    return (await blobs.putFile('original', copy)).key;
  });
}

function orderFor(originalKey: string, model: string, { sizePx, fit }: PredictOptions) {
  const look = { ...(sizePx ? { sizePx } : {}), ...(fit ? { fit } : {}) };
  const looks = [{ lookId: 'archive', model, finishing: {}, ...look }];
  return { wants: 'planes', photoId: 'archive', originalKey, looks } satisfies PlanesOrder;
}

/** Named by what was asked for: the same photo asked for again is the same job. */
function jobFor(order: PlanesOrder, modelSha256: string, round: number): NewRestore {
  const asked = createHash('sha256')
    .update(JSON.stringify([order, modelSha256]))
    .digest('hex');
  return {
    name: 'restore',
    key: `archive:${asked.slice(0, 40)}:${round}`,
    payload: order,
    priority: priorities.bulk,
    group: 'archive',
  };
}

/**
 * Add the job and wait until it has ended; a job that the queue lost is added again.
 * @returns own: it was this call that added it.
 * @throws {FleetFailed} no box can get the model. @throws {Cancelled}
 */
async function ask(
  { queue, watch }: FleetColorizerDeps,
  job: NewRestore,
  signal: AbortSignal | undefined,
): Promise<{ own: boolean; info: JobInfo }> {
  let own = false;
  const unwait = watch.waits();
  try {
    for (;;) {
      const info = await watch.patiently(() => queue.find(job.key), signal);
      if (info && ended.includes(info.state)) return { own, info };
      if (!info) own = (await watch.patiently(() => queue.add(job), signal)) === 'added';
      const model = job.payload.looks[0]!.model;
      if (info?.state !== 'active' && watch.nobodyHas(model)) throw FleetFailed.noModel(model);
      await watch.pause(lookEveryMs, signal);
    }
  } catch (error) {
    // Nobody waits for it any more. Where Redis is away it is done for nothing, once.
    await queue.cancel(job.key).catch(() => false);
    throw error;
  } finally {
    unwait();
  }
}

const ended: readonly JobInfo['state'][] = ['done', 'dead', 'cancelled'];

/**
 * @param own asked for by this call: an earlier run's failure is none of this one.
 * @returns undefined: ask again, also where a blob was swept away while the photo waited.
 * @throws {FleetFailed}
 */
function answerOf({ state, answer, lastError, worker }: JobInfo, own: boolean) {
  const outcome = answer as PlanesOutcome | undefined;
  if (state === 'done' && outcome?.ok) return outcome;
  if (!own || state === 'cancelled') return undefined;
  if (outcome?.ok === false) {
    if (outcome.code === 'BLOB_MISSING') return undefined;
    throw new FleetFailed(outcome.code, outcome.messageKey, outcome.params);
  }
  if (state === 'dead') throw FleetFailed.gaveUp(lastError ?? '?');
  throw FleetFailed.noAnswer(worker ?? '?');
}

/** @returns undefined where the plane of an earlier run was swept away. */
async function fetchPlane(
  { blobs, files, planes }: FleetColorizerDeps,
  { planes: made, worker }: Answer,
): Promise<Prediction | undefined> {
  const [{ lookId: _, chromaKey, ...facts }] = made as readonly [PlaneResult];
  try {
    const chroma = planes.decode(await files.read(await blobs.localFile(chromaKey)));
    return { ...facts, chroma, worker, meanChroma: meanChromaOf(chroma.ab) };
  } catch (error) {
    if (error instanceof BlobMissing) return undefined;
    throw error;
  }
}
