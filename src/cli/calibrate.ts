import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Calibrated, type CalibrationStep, calibrate } from '../inference/gpu/calibrate.js';
import { limits } from '../studio/limits.js';
import type { CardStatus } from '../studio/ports/cards.js';
import { waitingAloud } from './cards.js';
import { enlargedDemo } from './demo-photo.js';
import { type Engine, openEngine } from './engine.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { listenForInterrupt } from './interrupt.js';
import { type GlobalOptions, openShell } from './open-shell.js';
import type { Shell } from './shell.js';

/** Options of `huancai bench --calibrate`. */
export interface CalibrateOptions extends GlobalOptions {
  readonly model?: string;
  readonly size?: number;
}

/** `huancai bench --calibrate`: the largest input the card takes of one model, kept with its uuid. */
export async function calibrateCard(options: CalibrateOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { output, t, config } = shell;
  const interrupt = listenForInterrupt(() => output.notice(t('cli.interrupted')));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'huancai-calibrate-'));
  const engine = openEngine(shell, { ...waitingAloud(shell), unbounded: true });
  try {
    await engine.cards.start();
    const model = options.model ?? config.inference.model;
    const { id } = await engine.models.resolve(model);
    const card = engine.card();
    output.line(t('cli.bench.calibrateIntro', { model: id, card: card?.reading.name ?? '-' }));
    const photo = path.join(folder, 'photo.jpg');
    await enlargedDemo(photo, 4);
    const { signal } = interrupt;
    const measured = await calibrate(
      (sizePx) => engine.colorizer.predict(photo, { model, sizePx, fit: 'stretch' }, { signal }),
      {
        largestPx: options.size ?? limits.model.maxSizePx,
        onStep: (step) => showStep(shell, step),
      },
    );
    return await keep(shell, engine, { model: id, card, measured });
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
    interrupt.close();
  }
}

function showStep({ output, t }: Shell, { sizePx, fits, seconds = 0 }: CalibrationStep): void {
  const params = { size: sizePx, seconds: seconds.toFixed(3) };
  output.line(t(fits ? 'cli.bench.calibrateStep' : 'cli.bench.calibrateTooLarge', params));
}

interface Found {
  readonly model: string;
  readonly card: CardStatus | undefined;
  readonly measured: Calibrated;
}

async function keep(shell: Shell, engine: Engine, found: Found): Promise<ExitCode> {
  const { output, t } = shell;
  const { model, card, measured } = found;
  const { sizePx, provider } = measured;
  const kept = card !== undefined && sizePx !== undefined && !engine.fellBack();
  if (kept) {
    const { uuid, name, driverVersion } = card.reading;
    await engine.calibrations.save({
      ...{ uuid, card: name, model, provider, sizePx, seconds: [...measured.seconds] },
      ...(measured.tooLargePx ? { tooLargePx: measured.tooLargePx } : {}),
      ...(driverVersion ? { driverVersion } : {}),
      measuredAt: new Date(shell.now()).toISOString(),
    });
  }
  output.record({ type: 'calibration', model, uuid: card?.reading.uuid, ...measured, kept });
  if (kept) output.line(t('cli.bench.calibrated', { size: sizePx }));
  else if (!card) output.line(t('cli.bench.noCard'));
  else if (sizePx === undefined) output.line(t('cli.bench.calibratedNothing'));
  else output.line(t('cli.bench.fellBack', { provider }));
  return kept ? exitCodes.done : exitCodes.environment;
}
