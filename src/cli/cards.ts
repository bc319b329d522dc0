import { type CardGate, createCardGate } from '../inference/gpu/card-gate.js';
import { createCards, noCards } from '../inference/gpu/cards.js';
import type { HostEvent } from '../inference/sessions/index.js';
import type { Logger } from '../studio/ports/basics.js';
import type { CardStatus, Cards } from '../studio/ports/cards.js';
import type { Config } from './config.js';
import type { Shell } from './shell.js';

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
  /** Told when a wait begins. */
  readonly onWait?: (status: CardStatus | undefined) => void;
}

/** This machine's cards, and the guard of the one the settings name. */
export function openCards(
  { config, env, now }: Pick<Shell, 'config' | 'env' | 'now'>,
  options: GuardOptions = {},
): { cards: Cards; gate: CardGate | undefined } {
  if (!watches(config)) return { cards: noCards(), gate: undefined };
  const { logger, onWait } = options;
  const cards = createCards({ clock: { now }, ...(logger ? { logger } : {}) }, config.gpu);
  const gate = createCardGate(
    { cards, ...(onWait ? { onWait } : {}) },
    {
      card: cardOf(env, config.inference.deviceId),
      allowCpu: config.gpu.allowCpuWhilePaused,
      whenPaused: options.whenPaused ?? 'wait',
    },
  );
  return { cards, gate };
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
    onWait: (status) => {
      const { name = '?', temperatureC = '?' } = status?.reading ?? {};
      output.notice(t('cli.cardWaits', { card: name, temperatureC }));
    },
  };
}
