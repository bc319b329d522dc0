import type { CardReading } from '../../studio/ports/cards.js';
import type { NvidiaField } from './nvidia-fields.js';

/**
 * Lines of `--format=csv,noheader,nounits`. What is no line of a card (warnings, a card that fell
 * off the bus) is passed over; `[N/A]`, `[Not Supported]` and `[Unknown Error]` leave the field out.
 */
export function parseNvidiaCards(
  text: string,
  fields: readonly NvidiaField[],
  atMs: number,
): CardReading[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.length < fields.length) return [];
    const rest = cells.slice(fields.length - 1).join(', ');
    const values = [...cells.slice(0, fields.length - 1), rest];
    const card = readCard(new Map(fields.map((field, i) => [field, values[i]!])), atMs);
    return card ? [card] : [];
  });
}

function readCard(cells: ReadonlyMap<NvidiaField, string>, atMs: number): CardReading | undefined {
  const words = (field: NvidiaField) => known(cells.get(field));
  const number = (field: NvidiaField) => numberOf(words(field));
  const index = number('index');
  const name = words('name');
  if (index === undefined || !name) return undefined;
  return present({
    uuid: words('uuid') ?? `nvidia-${index}`,
    index,
    name,
    vendor: 'nvidia' as const,
    driverVersion: words('driverVersion'),
    computeCapability: words('computeCapability'),
    temperatureC: number('temperatureC'),
    fanPercent: number('fanPercent'),
    powerW: number('powerW'),
    memoryTotalMiB: number('memoryTotalMiB'),
    memoryUsedMiB: number('memoryUsedMiB'),
    utilizationPercent: number('utilizationPercent'),
    thermalSlowdown: active(words('hwThermalSlowdown')) || active(words('swThermalSlowdown')),
    atMs,
  });
}

/** "Active", and on some old drivers "Yes"; "Not Active" is not. */
const active = (words: string | undefined) => /^(active|yes|1)$/i.test(words ?? '');

function known(cell: string | undefined): string | undefined {
  if (!cell || /^\[.*\]$|^n\/?a$|not supported|unknown error|is lost|deprecated/i.test(cell))
    return undefined;
  return cell;
}

/** Older drivers keep the unit in spite of `nounits`. */
export function numberOf(words: string | undefined): number | undefined {
  const digits = /^-?\d+(\.\d+)?/.exec(words ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** Fields without a value are left out. */
export function present<T extends object>(fields: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as never;
}

/**
 * Slowdown temperature of each card, in order, from `nvidia-smi -q -d TEMPERATURE`. Newest drivers
 * tell some cards' as a distance (`T.Limit`) only; those are left undefined.
 */
export function parseSlowdownC(text: string): (number | undefined)[] {
  const blocks = text.split(/^GPU [0-9A-Fa-f]+:[0-9A-Fa-f:.]+/m).slice(1);
  return blocks.map((block) => {
    const degrees = numberOf(/GPU Slowdown Temp\s*:\s*(\d+ C)/.exec(block)?.[1]);
    return degrees !== undefined && degrees >= 60 && degrees <= 120 ? degrees : undefined;
  });
}
