import { existsSync } from 'node:fs';
import type { Database } from '../../storage/database.js';
import type { StudioError } from '../../studio/errors/index.js';
import { type BoxJobName, boxJobNames, type Handlers, type NewJob } from '../../studio/jobs.js';
import type { Endings } from '../../studio/pipeline.js';
import type { Logger } from '../../studio/ports/basics.js';
import { timed } from '../../studio/stage-timing.js';
import type { Engine } from '../engine.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { noCards } from '../metrics/card-figures.js';
import { openWatch } from '../metrics/watch.js';
import { openQueue, openStudioDatabase, servingAnswerMs } from '../open-queue.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { workerName } from '../places.js';
import { aborted, dieLoudly, openLogger } from '../process.js';
import type { Shell } from '../shell.js';
import { openRestoreStage, openWorkParts, type WorkParts } from '../wire.js';
import { announce } from './announce.js';
import { Box } from './box.js';
import { ModelSupply } from './model-supply.js';

/**
 * `huancai worker`: restores alone. Holds queue and blobs, and with REDIS_URL no database: no bot
 * tokens, no payment keys, nothing a stolen box could tell.
 */
export async function worker(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  return runWorker(shell, (logger) => openWorkParts(shell, logger, 'worker'));
}

/** The same with parts of one's own: a simulated fleet brings an engine that only takes time. */
export async function runWorker(
  shell: Shell,
  open: (logger: Logger) => Promise<WorkParts>,
): Promise<ExitCode> {
  const logger = openLogger(shell);
  dieLoudly(logger);
  const { config } = shell;
  const interrupt = listenForInterrupt(() => shell.output.notice(shell.t('serve.stopping')));
  const parts = await open(logger);
  const watch = openWatch({ ...parts, logger }, config);
  const { cards, meter } = parts.engine as Partial<Engine>;
  watch.addCards(cards && meter ? { cards, meter } : noCards);
  const figures = await watch.listen();
  let database: Database | undefined;
  const opened = async () => {
    database = await openStudioDatabase(shell, servingAnswerMs);
    return database;
  };
  const queue = await openQueue({ clock: parts.clock, logger, database: opened }, config);
  const supply = new ModelSupply(parts.engine.models, parts.clock, logger);
  const box = new Box(shell, parts, supply, workerName());
  const announced = announce(config.queue.redisUrl, box, shell);
  try {
    await queue.ping();
    await parts.engine.cards.start();
    await supply.ensure(config.inference.model, interrupt.signal);
    await parts.engine.describe(config.inference.model);
    const colorizer = supply.before(parts.colorizer);
    const stage = openRestoreStage({ ...parts, colorizer }, queue);
    const told = { ...parts, metrics: watch.metrics };
    const handlers: Pick<Handlers, BoxJobName> = {
      restore: timed(told, (job) => box.measured(job, () => stage.run(job))),
    };
    const endings: Pick<Endings, BoxJobName> = { restore: stage.gaveUp };
    const consumer = queue.consume(boxJobNames, handlers, {
      concurrency: Math.max(1, config.work.photosAtOnce),
      worker: box.worker,
      ready: box.ready,
      ability: box.ability,
      onDead: (job, reason) => gaveUp(endings, job as NewJob<BoxJobName>, reason),
    });
    warnOfOwnFolder(shell, parts, logger);
    const place = config.queue.redisUrl ? 'Redis' : parts.places.dataDir;
    shell.output.line(shell.t('serve.worker', { name: box.worker, place }));
    shell.output.record({ type: 'worker', ...box.report() });
    logger.info('worker.open', { ...box.report(), model: config.inference.model });
    void fetchAhead(config.worker.models, supply, interrupt.signal);
    await aborted(interrupt.signal);
    await consumer.close(config.work.drainMs);
    logger.info('worker.stopped', { worker: box.worker });
  } finally {
    interrupt.close();
    await announced.stop();
    await figures?.close();
    await queue.close().catch(() => {});
    await Promise.allSettled([database?.close(), parts.engine.close()]);
  }
  return exitCodes.done;
}

function gaveUp<N extends BoxJobName>(
  endings: Pick<Endings, N>,
  job: NewJob<N>,
  reason: StudioError,
): Promise<void> {
  return endings[job.name](job, reason);
}

/** The studio's photos are looked for in a folder of one's own: every one of them would be missing. */
function warnOfOwnFolder({ config, output, t }: Shell, { place, places }: WorkParts, log: Logger) {
  const folder = places.blobs;
  if (!config.queue.redisUrl || place.kind !== 'folder' || existsSync(folder)) return;
  log.warn('worker.ownFolder', { folder });
  output.notice(t('workers.ownFolder', { folder }));
}

/** One after the other; what fails is in the log and is tried again when a photo asks for it. */
async function fetchAhead(models: readonly string[], supply: ModelSupply, signal: AbortSignal) {
  for (const model of models) await supply.ensure(model, signal).catch(() => {});
}
