import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { calibrateCard } from './calibrate.js';
import { waitingAloud } from './cards.js';
import { enlargedDemo } from './demo-photo.js';
import { type Engine, openEngine } from './engine.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { listenForInterrupt } from './interrupt.js';
import { type GlobalOptions, openShell } from './open-shell.js';

/** Options of `huancai bench`. */
export interface BenchOptions extends GlobalOptions {
  readonly model?: string;
  readonly size?: number;
  readonly megapixels: number;
  readonly runs: number;
  readonly calibrate?: boolean;
}

/** `huancai bench`: what this machine does, the best of several runs. */
export async function bench(options: BenchOptions): Promise<ExitCode> {
  if (options.calibrate) return calibrateCard(options);
  const shell = openShell(options);
  const { output, t, config } = shell;
  const model = options.model ?? config.inference.model;
  const interrupt = listenForInterrupt(() => output.notice(t('cli.interrupted')));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'huancai-bench-'));
  const engine = openEngine(shell, waitingAloud(shell));
  try {
    const photo = path.join(folder, 'photo.jpg');
    await enlargedDemo(photo, options.megapixels);
    const best = await bestRun(engine, photo, { ...options, model, signal: interrupt.signal });
    const megabytes = (bytes: number | undefined) => Math.round((bytes ?? 0) / 1e6);
    const figures = {
      model,
      ...best,
      megapixels: options.megapixels,
      runs: options.runs,
      megapixelsPerSecond: options.megapixels / best.wholeSeconds,
      // maxRSS is in kilobytes.
      mainPeakMegabytes: megabytes(process.resourceUsage().maxRSS * 1024),
      inferencePeakMegabytes: megabytes(engine.status().peakRssBytes),
    };
    output.record({ type: 'bench', ...figures });
    output.line(t('cli.bench.intro', figures));
    output.line(
      t('cli.bench.network', {
        size: best.sizePx,
        provider: best.provider,
        seconds: best.networkSeconds.toFixed(3),
      }),
    );
    output.line(
      t('cli.bench.whole', {
        seconds: best.wholeSeconds.toFixed(3),
        rate: figures.megapixelsPerSecond.toFixed(1),
      }),
    );
    output.line(
      t('cli.bench.memory', {
        mine: figures.mainPeakMegabytes,
        child: figures.inferencePeakMegabytes,
      }),
    );
    return exitCodes.done;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
    interrupt.close();
  }
}

interface RunOptions {
  readonly model: string;
  readonly size?: number;
  readonly runs: number;
  readonly signal: AbortSignal;
}

async function bestRun({ colorizer }: Engine, photo: string, options: RunOptions) {
  const { model, size, runs, signal } = options;
  const label = { producer: 'bench', produceId: 'hc-bench' };
  let networkSeconds = Number.POSITIVE_INFINITY;
  let wholeSeconds = Number.POSITIVE_INFINITY;
  // One more than counts: the first loads the model.
  let prediction = await colorizer.predict(photo, { model, sizePx: size }, { signal });
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    const predicting = colorizer.predict(photo, { model, sizePx: size }, { signal });
    const chroma = predicting.then((result) => result.chroma);
    await colorizer.render(photo, chroma, `${photo}.out.jpg`, { label }, { signal });
    prediction = await predicting;
    wholeSeconds = Math.min(wholeSeconds, (performance.now() - startedAt) / 1000);
    networkSeconds = Math.min(networkSeconds, prediction.seconds);
  }
  const { provider, inputWidthPx } = prediction;
  return { networkSeconds, wholeSeconds, provider, sizePx: inputWidthPx };
}
