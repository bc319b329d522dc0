import { createCards } from '../../inference/gpu/cards.js';
import { atLeast, type CudaFiles, findCudaFiles } from '../../inference/gpu/cuda-files.js';
import {
  LAST_PASCAL_CUDNN_BEFORE,
  OLDEST_CUDA12_DRIVER,
} from '../../inference/gpu/requirements.js';
import type { CardReading, CardStatus } from '../../studio/ports/cards.js';
import type { Shell } from '../shell.js';
import type { Check, Finding } from './check.js';

/** Cards, their driver and temperature, and, where CUDA is wanted, what it needs. */
export const checkCards: Check = async (shell) => {
  const { config } = shell;
  const wantsCuda = config.inference.providers.includes('cuda');
  const { cards, faults } = await readCards(shell);
  const findings: Finding[] = [
    ...faults,
    ...cards.flatMap((card) => [cardLine(card), heatLine(card), ...driverLines(card, wantsCuda)]),
  ];
  if (cards.length === 0 && faults.length === 0)
    findings.push(noCardLine(config.inference.providers));
  if (wantsCuda && process.platform === 'linux')
    findings.push(...cudaLines(await findCudaFiles(), lowest(cards)));
  return findings;
};

async function readCards({ config, now }: Shell) {
  const faults: Finding[] = [];
  const warn = (event: string, fields: Record<string, unknown> = {}) => {
    if (event !== 'cards.unreadable') return;
    const params = { reason: String(fields['reason']) };
    faults.push({ name: 'driver', status: 'warn', key: 'doctor.driver.faulty', params });
  };
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, error: quiet, warn };
  const cards = createCards({ clock: { now }, logger }, config.gpu);
  await cards.start();
  const found = cards.status();
  await cards.close();
  return { cards: found, faults };
}

function noCardLine(providers: readonly string[]): Finding {
  const wanted = providers.filter((name) => name !== 'cpu');
  if (wanted.length === 0) return { name: 'card', status: 'ok', key: 'doctor.card.none' };
  return {
    name: 'card',
    status: 'warn',
    key: 'doctor.card.missing',
    params: { wanted: wanted.join(', ') },
  };
}

function cardLine({ reading }: CardStatus): Finding {
  const { name, memoryTotalMiB, driverVersion, computeCapability, index } = reading;
  const params = {
    ...{ index, name, memory: memoryTotalMiB ?? '?', driver: driverVersion ?? '?' },
    compute: computeCapability ?? '?',
  };
  return { name: 'card', status: 'ok', key: 'doctor.card.ok', params };
}

function heatLine({ reading, state, bounds }: CardStatus): Finding {
  const { name, temperatureC } = reading;
  const params = { name, temperature: temperatureC ?? '?', ...bounds };
  const line = (status: Finding['status'], what: string): Finding => ({
    ...{ name: 'heat', status, params },
    key: `doctor.heat.${what}`,
  });
  if (temperatureC === undefined) return line('warn', 'untold');
  return state === 'working' ? line('ok', 'ok') : line('warn', 'hot');
}

function driverLines({ reading }: CardStatus, wantsCuda: boolean): Finding[] {
  if (!wantsCuda || reading.vendor !== 'nvidia') return [];
  return [driverLine(reading), ...computeLines(reading)];
}

function driverLine({ driverVersion }: CardReading): Finding {
  const params = { driver: driverVersion ?? '?', oldest: OLDEST_CUDA12_DRIVER };
  const fits = driverVersion !== undefined && atLeast(driverVersion, OLDEST_CUDA12_DRIVER);
  const [status, key] = fits
    ? (['ok', 'doctor.driver.ok'] as const)
    : (['warn', 'doctor.driver.old'] as const);
  return { name: 'driver', status, key, params };
}

function computeLines({ computeCapability, name }: CardReading): Finding[] {
  // Drivers that are too old for CUDA 12 do not tell it either; their line says what to do.
  if (computeCapability === undefined) return [];
  const params = { name, compute: computeCapability };
  if (atLeast(computeCapability, '6.0'))
    return [{ name: 'compute', status: 'ok', key: 'doctor.compute.ok', params }];
  return [{ name: 'compute', status: 'warn', key: 'doctor.compute.old', params }];
}

function cudaLines({ provider, missing, cudnnVersion }: CudaFiles, compute?: string): Finding[] {
  const libraries: Finding =
    missing.length === 0
      ? { name: 'cuda', status: 'ok', key: 'doctor.cuda.ok' }
      : {
          ...{ name: 'cuda', status: 'warn', key: 'doctor.cuda.missing' },
          params: { missing: missing.join(', ') },
        };
  const runtime: Finding = provider
    ? { name: 'cuda', status: 'ok', key: 'doctor.cuda.provider' }
    : { name: 'cuda', status: 'warn', key: 'doctor.cuda.noProvider' };
  return [libraries, cudnnLine(cudnnVersion, compute), runtime];
}

function cudnnLine(version: string | undefined, compute: string | undefined): Finding {
  if (version === undefined) return { name: 'cudnn', status: 'warn', key: 'doctor.cudnn.missing' };
  const params = { version, compute: compute ?? '?' };
  const leftOut =
    compute !== undefined && !atLeast(compute, '7.5') && atLeast(version, LAST_PASCAL_CUDNN_BEFORE);
  return leftOut
    ? { name: 'cudnn', status: 'warn', key: 'doctor.cudnn.new', params }
    : { name: 'cudnn', status: 'ok', key: 'doctor.cudnn.ok', params };
}

/** The oldest card decides which cuDNN will do. */
function lowest(cards: readonly CardStatus[]): string | undefined {
  const told = cards.flatMap(({ reading }) => reading.computeCapability ?? []);
  return told.reduce<string | undefined>(
    (low, one) => (low === undefined || atLeast(low, one) ? one : low),
    undefined,
  );
}
