import type { CardReading } from '../../studio/ports/cards.js';
import type { CardReader, Readings } from './nvidia.js';
import { numberOf, present } from './nvidia-parse.js';
import { createProgram } from './run-program.js';

const QUESTION = [
  ...['--showuniqueid', '--showproductname', '--showdriverversion', '--showtemp', '--showfan'],
  ...['--showpower', '--showuse', '--showmeminfo', 'vram', '--json'],
];

/** Reads AMD's cards through rocm-smi. */
export function createRocmReader(config: {
  readonly rocmSmi: string;
  readonly timeoutMs: number;
}): CardReader {
  const program = createProgram(config.rocmSmi, config.timeoutMs);
  return {
    read: async (atMs): Promise<Readings> => {
      const answer = await program(QUESTION);
      if (answer.kind === 'missing') return { kind: 'none' };
      if (answer.kind === 'hangs') return { kind: 'fault', fault: 'hangs', reason: 'no answer' };
      if (answer.kind === 'broken')
        return { kind: 'fault', fault: 'other', reason: answer.reason.slice(0, 200) };
      const cards = parseRocmCards(answer.text, atMs);
      if (cards.length > 0) return { kind: 'cards', cards };
      const reason = answer.text.replace(/\s+/g, ' ').trim().slice(0, 200) || 'an empty answer';
      return { kind: 'fault', fault: 'noCards', reason };
    },
  };
}

/**
 * Cards of `rocm-smi --json`. Its keys change from release to release: what is looked for is their
 * beginning. Warnings may stand before the JSON.
 */
export function parseRocmCards(text: string, atMs: number): CardReading[] {
  const tree = jsonIn(text);
  const system = tree['system'] ?? {};
  return Object.entries(tree)
    .flatMap(([key, card]) => {
      const place = /^card(\d+)$/.exec(key)?.[1];
      return place === undefined ? [] : [{ place: Number(place), card }];
    })
    .sort((a, b) => a.place - b.place)
    .map(({ place, card }, index) => readCard({ ...system, ...card }, place, index, atMs));
}

type Facts = Readonly<Record<string, unknown>>;

function readCard(card: Facts, place: number, index: number, atMs: number): CardReading {
  const words = (...starts: string[]) => find(card, starts);
  const number = (...starts: string[]) => numberOf(words(...starts));
  const mebibytes = (bytes: number | undefined) =>
    bytes === undefined ? undefined : Math.round(bytes / 1_048_576);
  return present({
    uuid: words('Unique ID') ?? `amd-${place}`,
    index,
    name: words('Card series', 'Card Series', 'Device Name', 'Card model') ?? `AMD ${place}`,
    vendor: 'amd' as const,
    driverVersion: words('Driver version'),
    temperatureC: number('Temperature (Sensor edge)', 'Temperature (Sensor junction)'),
    fanPercent: number('Fan speed (%)', 'Fan Speed (%)'),
    powerW: number('Average Graphics Package Power', 'Current Socket Graphics Package Power'),
    memoryTotalMiB: mebibytes(number('VRAM Total Memory')),
    memoryUsedMiB: mebibytes(number('VRAM Total Used Memory')),
    utilizationPercent: number('GPU use'),
    thermalSlowdown: false,
    atMs,
  });
}

function find(card: Facts, starts: readonly string[]): string | undefined {
  for (const start of starts) {
    const key = Object.keys(card).find((one) => one.startsWith(start));
    const value = key === undefined ? undefined : card[key];
    if ((typeof value === 'string' || typeof value === 'number') && !/^n\/?a$/i.test(`${value}`))
      return `${value}`;
  }
  return undefined;
}

function jsonIn(text: string): Record<string, Facts> {
  const from = text.indexOf('{');
  const to = text.lastIndexOf('}');
  if (from < 0 || to < from) return {};
  try {
    const tree: unknown = JSON.parse(text.slice(from, to + 1));
    const entries = Object.entries(tree as object).filter(([, v]) => v && typeof v === 'object');
    return Object.fromEntries(entries) as Record<string, Facts>;
  } catch {
    return {};
  }
}
