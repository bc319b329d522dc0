import type { Database } from '../storage/database.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { listenForInterrupt } from './interrupt.js';
import { type GlobalOptions, openShell } from './open-shell.js';
import { aborted, dieLoudly, openLogger } from './serve/run.js';
import {
  openQueue,
  openRestoreStage,
  openStudioDatabase,
  openWorkParts,
  workerName,
} from './wire.js';

/**
 * `huancai worker`: restores alone. Holds queue and blobs, and with REDIS_URL no database: no bot
 * tokens, no payment keys, nothing a stolen box could tell.
 */
export async function worker(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const logger = openLogger(shell);
  dieLoudly(logger);
  const { config } = shell;
  const interrupt = listenForInterrupt(() => shell.output.notice(shell.t('serve.stopping')));
  const parts = await openWorkParts(shell);
  let database: Database | undefined;
  const opened = async () => {
    database = await openStudioDatabase(shell);
    return database;
  };
  const queue = await openQueue({ clock: parts.clock, logger, database: opened }, config);
  try {
    await queue.ping();
    await parts.engine.describe(config.inference.model);
    const stage = openRestoreStage(parts, queue);
    const name = workerName();
    const consumer = queue.consume(
      ['restore'],
      { restore: stage.run },
      {
        concurrency: Math.max(1, config.work.photosAtOnce),
        worker: name,
        onDead: (job, reason) => stage.gaveUp(job as Parameters<typeof stage.gaveUp>[0], reason),
      },
    );
    const place = config.queue.redisUrl ? 'Redis' : parts.places.dataDir;
    shell.output.line(shell.t('serve.worker', { name, place }));
    shell.output.record({ type: 'worker', name });
    logger.info('worker.open', { worker: name, model: config.inference.model });
    await aborted(interrupt.signal);
    await consumer.close(config.work.drainMs);
    logger.info('worker.stopped', { worker: name });
  } finally {
    interrupt.close();
    await queue.close().catch(() => {});
    await Promise.allSettled([database?.close(), parts.engine.close()]);
  }
  return exitCodes.done;
}
