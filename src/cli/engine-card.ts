import { createColorizer, type ModelCapacity } from '../inference/colorizer.js';
import type { CalibrationStore } from '../inference/gpu/calibration.js';
import type { CardGate, CardGateConfig } from '../inference/gpu/card-gate.js';
import { capacityOf } from '../inference/gpu/card-memory.js';
import type { EnergyMeter } from '../inference/gpu/energy-meter.js';
import { meteredHost } from '../inference/gpu/metered-host.js';
import type { ModelStore } from '../inference/models/index.js';
import type { ColouringCard } from '../inference/pooled-colorizer.js';
import type { Renderer } from '../inference/render/index.js';
import { createInferenceHost, type InferenceHost } from '../inference/sessions/index.js';
import { limits } from '../studio/limits.js';
import type { Cards } from '../studio/ports/cards.js';
import { cardOf, type GuardOptions, inferenceEnv, type Machine, openGate } from './cards.js';

/** A card, the process that works on it, and the guard between them. */
export interface EngineCard extends ColouringCard {
  readonly deviceId: number;
  readonly host: InferenceHost;
  readonly gate: CardGate | undefined;
}

/** What all cards of an engine share. */
export interface EngineParts {
  readonly cards: Cards;
  readonly meter: EnergyMeter;
  readonly calibrations: CalibrationStore;
  readonly renderer: Renderer;
  readonly models: ModelStore;
}

/** No process is started before the first photo. @param allowCpu default: as the settings say. */
export function openEngineCard(
  shell: Machine,
  parts: EngineParts,
  guard: GuardOptions,
  deviceId: number,
  allowCpu?: CardGateConfig['allowCpu'],
): EngineCard {
  const { cards, calibrations, renderer, models } = parts;
  const gate = openGate(shell, cards, deviceId, guard, allowCpu);
  const host = openHost(shell, parts, guard, deviceId, gate);
  const resolveModel = models.resolve;
  const colorizer = createColorizer(
    { host, renderer, resolveModel, ...(guard.unbounded ? {} : { capacity }) },
    { limits: { ...limits.photo, ...shell.config.photo } },
  );
  return {
    ...{ deviceId, host, gate, colorizer },
    cardMayWork: () => gate?.cardMayWork() ?? true,
    mayTakeWork: () => host.mayTakeWork(),
    fellBack: () => host.fellBack(),
    status: () => gate?.status(),
  };

  /** What the card takes; nothing is bounded where the processor works or no card is known. */
  async function capacity(modelId: string): Promise<ModelCapacity | undefined> {
    await cards.start();
    const card = gate?.status()?.reading;
    if (!card || host.fellBack()) return undefined;
    const measured = calibrations.find(card.uuid, modelId)?.sizePx;
    const { longestSidePx } = capacityOf(card, measured);
    return longestSidePx === undefined ? undefined : { card: card.name, longestSidePx };
  }
}

function openHost(
  shell: Machine,
  { meter }: Pick<EngineParts, 'meter'>,
  guard: GuardOptions,
  deviceId: number,
  gate: CardGate | undefined,
): InferenceHost {
  const { inference } = shell.config;
  const host = createInferenceHost(
    { ...(gate ? { card: gate } : {}), onEvent: (event) => guard.onEvent?.(event) },
    {
      providers: inference.providers,
      threads: inference.threads || undefined,
      deviceId,
      env: inferenceEnv(shell.env),
      idleUnloadMs: inference.idleUnloadMs,
      runTimeoutMs: inference.runTimeoutMs,
      startTimeoutMs: inference.startTimeoutMs,
    },
  );
  const place = cardOf(shell.env, deviceId);
  return meteredHost(
    host,
    { meter, clock: shell },
    { deviceId: typeof place === 'number' ? place : deviceId },
  );
}
