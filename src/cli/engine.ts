import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createColorizer, type ModelCapacity } from '../inference/colorizer.js';
import { type CalibrationStore, createCalibrationStore } from '../inference/gpu/calibration.js';
import { capacityOf } from '../inference/gpu/card-memory.js';
import { createEnergyMeter, type EnergyMeter } from '../inference/gpu/energy-meter.js';
import { meteredHost } from '../inference/gpu/metered-host.js';
import type { ModelStore } from '../inference/models/index.js';
import type { ModelSize } from '../inference/presets.js';
import { contactSheet, createRenderer, readLabel } from '../inference/render/index.js';
import {
  chooseInputSize,
  createInferenceHost,
  type HostStatus,
  type ModelContract,
} from '../inference/sessions/index.js';
import { limits } from '../studio/limits.js';
import type { CardStatus, Cards } from '../studio/ports/cards.js';
import type { Colorizer } from '../studio/ports/colorizer.js';
import { cardOf, type GuardOptions, inferenceEnv, openCards } from './cards.js';
import { openModelStore } from './models/open-store.js';
import type { Shell } from './shell.js';
import { makeTempFolder } from './temp-folder.js';

/** The engine with all its parts, as commands use it. */
export interface Engine {
  readonly colorizer: Colorizer;
  readonly models: ModelStore;
  readonly contactSheet: typeof contactSheet;
  /** sha256 of a model's file, hex. @throws {ModelMissing} */
  modelHash(model: string): Promise<string>;
  /** Input size a model is made for; asked of the model once. */
  ownSize(model: string): Promise<ModelSize>;
  /** Whether a picture carries our own label. */
  isLabelled(file: string): Promise<boolean>;
  /** Load a model and prove it with a small inference. */
  describe(model: string): Promise<ModelContract>;
  status(): HostStatus;
  /** The machine's cards; empty where nobody watches. */
  readonly cards: Cards;
  /** The card this engine works on, as it was last read. */
  card(): CardStatus | undefined;
  /** What the cards draw. */
  readonly meter: EnergyMeter;
  /** What was measured of the cards. */
  readonly calibrations: CalibrationStore;
  /** A card is wanted, and the processor is what works. */
  fellBack(): boolean;
  /** Asked before work is taken: false while the card rests and the processor may not help. */
  mayTakeWork(): boolean;
  close(): Promise<void>;
}

/** Join the parts; no process is started and no model loaded before the first photo. */
export function openEngine(
  shell: Pick<Shell, 'config' | 'env' | 'now'>,
  guard: GuardOptions = {},
): Engine {
  const { config } = shell;
  const { inference, label } = config;
  const photoLimits = { ...limits.photo, ...config.photo };
  const models = openModelStore(shell);
  const temp = makeTempFolder(config.paths.tempDir);
  const { cards, gate } = openCards(shell, guard);
  const meter = createEnergyMeter(cards);
  const inner = createInferenceHost(
    { ...(gate ? { card: gate } : {}), onEvent: (event) => guard.onEvent?.(event) },
    {
      providers: inference.providers,
      threads: inference.threads || undefined,
      deviceId: inference.deviceId,
      env: inferenceEnv(shell.env),
      idleUnloadMs: inference.idleUnloadMs,
      runTimeoutMs: inference.runTimeoutMs,
      startTimeoutMs: inference.startTimeoutMs,
    },
  );
  const place = cardOf(shell.env, inference.deviceId);
  const host = meteredHost(
    inner,
    { meter, clock: shell },
    { deviceId: typeof place === 'number' ? place : inference.deviceId },
  );
  const renderer = createRenderer({
    limits: photoLimits,
    threads: renderThreads,
    tempDir: temp.dir,
  });
  const resolveModel = models.resolve;
  const colorizer = createColorizer(
    { host, renderer, resolveModel, ...(guard.unbounded ? {} : { capacity }) },
    { limits: photoLimits },
  );

  const calibrations = createCalibrationStore(calibrationFile(config.paths.dataDir));

  /** What the card takes; nothing is bounded where the processor works or no card is known. */
  async function capacity(modelId: string): Promise<ModelCapacity | undefined> {
    await cards.start();
    const card = gate?.status()?.reading;
    if (!card || host.fellBack()) return undefined;
    const measured = calibrations.find(card.uuid, modelId)?.sizePx;
    const { longestSidePx } = capacityOf(card, measured);
    return longestSidePx === undefined ? undefined : { card: card.name, longestSidePx };
  }

  async function describe(model: string): Promise<ModelContract> {
    const { file, id } = await resolveModel(model);
    return host.describe(file, id);
  }

  return {
    colorizer,
    models,
    contactSheet,
    describe,
    modelHash: async (model) => {
      const { id, file } = await resolveModel(model);
      const known = models.list().find((one) => one.id === id && one.file === file);
      // Records hold the hash of what was installed; reading 900 MB again would tell the same.
      return known?.record?.sha256 ?? hashFile(file);
    },
    ownSize: rememberSizes(models, describe),
    isLabelled: async (file) => {
      // What cannot be read is not ours; colouring it will say what is wrong.
      const found = await readLabel(file).catch(() => undefined);
      return found?.ContentProducer === label.producer;
    },
    status: () => host.status(),
    cards,
    meter,
    calibrations,
    card: () => gate?.status(),
    fellBack: () => host.fellBack(),
    mayTakeWork: () => host.mayTakeWork(),
    close: async () => {
      await colorizer.close();
      meter.close();
      await cards.close();
      temp.remove();
    },
  };
}

/** Per photo the question would wait behind the inference that is running. */
function rememberSizes(models: ModelStore, describe: Engine['describe']): Engine['ownSize'] {
  const known = new Map<string, Promise<ModelSize>>();
  const ask = async (model: string): Promise<ModelSize> => {
    const [{ sizePx }, contract] = [await models.resolve(model), await describe(model)];
    const { widthPx } = chooseInputSize(contract, { widthPx: 1, heightPx: 1 }, { sizePx });
    return { sizePx: widthPx, fixed: contract.fixed !== undefined };
  };
  return (model) => {
    const size = known.get(model) ?? ask(model);
    known.set(model, size);
    return size;
  };
}

/** Arithmetic on strips; more than two wait for the decoder. */
const renderThreads = 2;

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

const calibrationFile = (dataDir: string) => path.join(dataDir, 'cards.json');
