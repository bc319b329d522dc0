import { type CardGate, type CardGateConfig, createCardGate } from '../inference/gpu/card-gate.js';
import type { LeftOutReason } from '../inference/gpu/card-pool.js';
import { createCards, noCards } from '../inference/gpu/cards.js';
import type { HostEvent } from '../inference/sessions/index.js';
import type { Logger } from '../studio/ports/basics.js';
import type { CardStatus, Cards } from '../studio/ports/cards.js';
import type { Config } from './config.js';
import type { Shell } from './shell.js';

/** What a command does when a card rests, and who is told. */
export interface GuardOptions {
  readonly logger?: Logger;
  /**
   * A command that colours its own files waits for a hot card; a worker gives its job back, so that
   * another one can take it. Default `wait`.
   */
  readonly whenPaused?: 'wait' | 'refuse';
  /** What happens to the inference process. */
  readonly onEvent?: (event: HostEvent) => void;
  /** Inputs of any size: to find out what the card takes. */
  readonly unbounded?: boolean;
  /** Told when a wait begins; the cards that rest. */
  readonly onWait?: (resting: readonly CardStatus[]) => void;
  /** Of several cards one is not used any more. */
  readonly onLeftOut?: (card: string, reason: LeftOutReason) => void;
}

/** What the machine's cards depend on. */
export type Machine = Pick<Shell, 'config' | 'env' | 'now'>;

/** This machine's cards, and the guard of the one the settings name. */
export function openCards(
  machine: Machine,
  options: GuardOptions = {},
): { cards: Cards; gate: CardGate | undefined } {
  const cards = watchCards(machine, options);
  return { cards, gate: openGate(machine, cards, firstDevice(machine.config), options) };
}

/** What the drivers tell of this machine's cards; none where nobody watches. */
export function watchCards({ config, now }: Machine, { logger }: GuardOptions = {}): Cards {
  if (!watches(config)) return noCards();
  return createCards({ clock: { now }, ...(logger ? { logger } : {}) }, config.gpu);
}

/**
 * The guard of one card.
 * @param allowCpu default: as the settings say.
 */
export function openGate(
  { config, env }: Machine,
  cards: Cards,
  deviceId: number,
  { onWait, whenPaused = 'wait' }: GuardOptions,
  allowCpu: CardGateConfig['allowCpu'] = config.gpu.allowCpuWhilePaused,
): CardGate | undefined {
  if (!watches(config)) return undefined;
  const told = (status: CardStatus | undefined) => onWait?.(status ? [status] : []);
  return createCardGate(
    { cards, onWait: told },
    { card: cardOf(env, deviceId), allowCpu, whenPaused },
  );
}

/** The card of everything that works on one. */
export function firstDevice({ inference }: Pick<Config, 'inference'>): number {
  const { deviceId } = inference;
  return Array.isArray(deviceId) ? deviceId[0]! : (deviceId ?? 0);
}

/**
 * The cards that one run may spread over: those the settings name, else all that CUDA can use. WebGPU
 * picks its adapter itself and DirectML counts in an order of its own: there the settings must say.
 */
export async function usableDevices(
  { config, env }: Pick<Shell, 'config' | 'env'>,
  cards: Cards,
): Promise<number[]> {
  const { deviceId, providers } = config.inference;
  if (Array.isArray(deviceId)) return [...new Set(deviceId)];
  if (deviceId !== null || !watches(config)) return [firstDevice(config)];
  if (providers.find((name) => name !== 'cpu') !== 'cuda') return [firstDevice(config)];
  await cards.start();
  const known = cards.status().map(({ reading }) => reading);
  const visible = env['CUDA_VISIBLE_DEVICES']?.split(',').map((_, i) => i);
  const ids = visible ?? known.filter((one) => one.vendor === 'nvidia').map((one) => one.index);
  return ids.length > 0 ? ids : [firstDevice(config)];
}

/** `auto`: where something other than the processor may be used. */
export function watches({ gpu, inference }: Pick<Config, 'gpu' | 'inference'>): boolean {
  if (gpu.watch !== 'auto') return gpu.watch === 'on';
  return inference.providers.some((name) => name !== 'cpu');
}

/** CUDA counts only the cards that CUDA_VISIBLE_DEVICES names, by place or uuid. */
export function cardOf(env: Shell['env'], deviceId: number): string | number {
  const visible = env['CUDA_VISIBLE_DEVICES']?.split(',')[deviceId]?.trim();
  if (!visible) return deviceId;
  return /^\d+$/.test(visible) ? Number(visible) : visible;
}

/**
 * What the inference process sees. CUDA counts the fastest card first unless told otherwise; the
 * guard must mean the same card as CUDA, so both count as nvidia-smi does.
 */
export function inferenceEnv(env: Shell['env']): Shell['env'] {
  return { ...env, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
}

/** For commands at which somebody looks: say that the card rests, and wait. */
export function waitingAloud({ output, t }: Pick<Shell, 'output' | 't'>): GuardOptions {
  return {
    whenPaused: 'wait',
    onWait: (resting) => {
      const named = resting.map(({ reading }) => ({
        card: reading.name,
        temperatureC: reading.temperatureC ?? '?',
      }));
      if (named.length <= 1)
        return output.notice(t('cli.cardWaits', named[0] ?? { card: '?', temperatureC: '?' }));
      const list = named.map((one) => t('cli.cardAt', one)).join(', ');
      output.notice(t('cli.cardsWait', { cards: list }));
    },
    onLeftOut: (card, reason) => {
      output.notice(t(`cli.cardLeftOut.${reason}`, { card }));
      output.record({ type: 'cardLeftOut', card, reason });
    },
  };
}
