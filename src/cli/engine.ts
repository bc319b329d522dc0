import path from 'node:path';
import { type CalibrationStore, createCalibrationStore } from '../inference/gpu/calibration.js';
import { type CardPool, createCardPool } from '../inference/gpu/card-pool.js';
import { createEnergyMeter, type EnergyMeter } from '../inference/gpu/energy-meter.js';
import { hashFile } from '../inference/models/disk.js';
import type { ModelStore } from '../inference/models/index.js';
import { createPooledColorizer } from '../inference/pooled-colorizer.js';
import type { ModelSize } from '../inference/presets.js';
import { contactSheet, createRenderer, readLabel } from '../inference/render/index.js';
import {
  chooseInputSize,
  type HostStatus,
  type ModelContract,
} from '../inference/sessions/index.js';
import { limits } from '../studio/limits.js';
import type { CardStatus, Cards } from '../studio/ports/cards.js';
import type { Colorizer } from '../studio/ports/colorizer.js';
import {
  firstDevice,
  type GuardOptions,
  type Machine,
  usableDevices,
  watchCards,
} from './cards.js';
import { type EngineCard, type EngineParts, openEngineCard } from './engine-card.js';
import { openModelStore } from './models/open-store.js';
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
  /** Cards it spreads over; 1 without any. */
  readonly cardsAtOnce: number;
  close(): Promise<void>;
}

/** Join the parts; no process is started and no model loaded before the first photo. */
export function openEngine(shell: Machine, guard: GuardOptions = {}): Engine {
  return joinEngine(shell, guard, watchCards(shell, guard), [firstDevice(shell.config)]);
}

/** The same on all cards that the settings and the machine offer. */
export async function openWholeEngine(shell: Machine, guard: GuardOptions = {}): Promise<Engine> {
  const cards = watchCards(shell, guard);
  const deviceIds = await usableDevices(shell, cards);
  // Before the first photo is given to one of them: it may be hot.
  if (deviceIds.length > 1) await cards.start();
  return joinEngine(shell, guard, cards, deviceIds);
}

function joinEngine(
  shell: Machine,
  guard: GuardOptions,
  cards: Cards,
  deviceIds: readonly number[],
): Engine {
  const { config } = shell;
  const models = openModelStore(shell);
  const temp = makeTempFolder(config.paths.tempDir);
  const meter = createEnergyMeter(cards);
  const calibrations = createCalibrationStore(calibrationFile(config.paths.dataDir));
  const renderer = createRenderer({
    limits: { ...limits.photo, ...config.photo },
    threads: renderThreads,
    tempDir: temp.dir,
  });
  const parts = { cards, meter, calibrations, renderer, models };
  const { first, pool, colorizer } = joinCards(shell, parts, guard, deviceIds);

  async function describe(model: string): Promise<ModelContract> {
    const { file, id } = await models.resolve(model);
    if (!pool) return first.host.describe(file, id);
    return (await pool.use(({ host }) => host.describe(file, id))).answer;
  }

  return {
    colorizer,
    models,
    contactSheet,
    describe,
    modelHash: async (model) => {
      const { id, file } = await models.resolve(model);
      const known = models.list().find((one) => one.id === id && one.file === file);
      // Records hold the hash of what was installed; reading 900 MB again would tell the same.
      return known?.record?.sha256 ?? hashFile(file);
    },
    ownSize: rememberSizes(models, describe),
    isLabelled: async (file) => {
      // What cannot be read is not ours; colouring it will say what is wrong.
      const found = await readLabel(file).catch(() => undefined);
      return found?.ContentProducer === config.label.producer;
    },
    status: () => first.host.status(),
    cards,
    meter,
    calibrations,
    card: () => first.gate?.status(),
    fellBack: () => first.host.fellBack(),
    mayTakeWork: () => first.host.mayTakeWork(),
    cardsAtOnce: deviceIds.length,
    close: async () => {
      await colorizer.close();
      meter.close();
      await cards.close();
      temp.remove();
    },
  };
}

interface JoinedCards {
  readonly first: EngineCard;
  /** Absent with one card: its own guard does the waiting. */
  readonly pool?: CardPool<EngineCard>;
  readonly colorizer: Colorizer;
}

/** One process for each card. */
function joinCards(
  shell: Machine,
  parts: EngineParts,
  guard: GuardOptions,
  deviceIds: readonly number[],
): JoinedCards {
  const [firstId, ...otherIds] = deviceIds;
  if (otherIds.length === 0) {
    const first = openEngineCard(shell, parts, guard, firstId!);
    return { first, colorizer: first.colorizer };
  }
  // A hot card gives its photo back for another one, and the processor helps when all are hot.
  const all: EngineCard[] = [];
  const onProcessor = () =>
    shell.config.gpu.allowCpuWhilePaused && all.every((card) => !card.cardMayWork());
  const open = (id: number) =>
    openEngineCard(shell, parts, { ...guard, whenPaused: 'refuse' }, id, onProcessor);
  const first = open(firstId!);
  all.push(first, ...otherIds.map(open));
  const { onWait, onLeftOut } = guard;
  const pool = createCardPool<EngineCard>(
    { cards: parts.cards, ...(onWait ? { onWait } : {}) },
    all,
    {
      onLeftOut: (card, reason) => {
        const { deviceId, host } = card;
        onLeftOut?.(`${card.status()?.reading.name ?? '?'} (${deviceId})`, reason);
        void host.close();
      },
    },
  );
  return { first, pool, colorizer: createPooledColorizer(pool, [first, ...all.slice(1)]) };
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
    // What fails once (its process was killed) may be asked again.
    size.catch(() => known.delete(model));
    return size;
  };
}

/** Arithmetic on strips; more than two wait for the decoder. */
const renderThreads = 2;

const calibrationFile = (dataDir: string) => path.join(dataDir, 'cards.json');
