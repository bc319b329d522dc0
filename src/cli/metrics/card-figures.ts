import { Counter, Gauge, type Registry } from 'prom-client';
import type { EnergyMeter } from '../../inference/gpu/energy-meter.js';
import type { CardReading, CardState, Cards } from '../../studio/ports/cards.js';

const states: readonly CardState[] = ['working', 'paused', 'stopped', 'unknown'];
const bytesPerMiB = 1024 * 1024;

type Told = readonly [name: string, help: string, value: (card: CardReading) => number | undefined];

const told: readonly Told[] = [
  ['temperature_celsius', 'Temperature', ({ temperatureC }) => temperatureC],
  ['power_watts', 'Power drawn', ({ powerW }) => powerW],
  ['utilization_ratio', 'Share of time at work, 0 to 1', (card) => part(card.utilizationPercent)],
  ['fan_ratio', 'Speed of the fan, 0 to 1', ({ fanPercent }) => part(fanPercent)],
  ['memory_used_bytes', 'Memory in use', ({ memoryUsedMiB }) => bytes(memoryUsedMiB)],
  ['memory_bytes', 'Memory there is', ({ memoryTotalMiB }) => bytes(memoryTotalMiB)],
];

export interface CardFigureDeps {
  readonly cards: Pick<Cards, 'status' | 'onChange'>;
  readonly meter: Pick<EnergyMeter, 'totals'>;
}

/** A machine without cards: the figures exist and are empty. */
export const noCards: CardFigureDeps = {
  cards: { status: () => [], onChange: () => () => {} },
  meter: { totals: () => [] },
};

/**
 * The cards of this machine as their driver tells them; what it does not tell has no figure.
 * @returns what to do when somebody asks.
 */
export function addCardFigures(registry: Registry, { cards, meter }: CardFigureDeps): () => void {
  const labelNames = ['card', 'uuid'];
  const labels = ({ name: card, uuid }: CardReading) => ({ card, uuid });
  const registers = [registry];
  const gauge = (name: string, help: string, more: string[] = []) =>
    new Gauge({
      ...{ name: `huancai_card_${name}`, help, registers },
      labelNames: [...labelNames, ...more],
    });
  const counter = (name: string, help: string, more: string[] = []) =>
    new Counter({
      ...{ name: `huancai_card_${name}`, help, registers },
      labelNames: [...labelNames, ...more],
    });
  const plain = told.map(([name, help, value]) => ({ one: gauge(name, help), value }));
  const state = gauge('state', 'Whether it may work: 1 for the state it is in', ['state']);
  const stop = gauge('stop_celsius', 'From here on what runs is broken off');
  const pauses = counter('pauses_total', 'Times it had to rest', ['reason']);
  const energy = counter('energy_joules_total', 'Energy drawn since the start, idle included');

  cards.onChange(({ from, status }) => {
    if (from !== 'working') return;
    pauses.inc({ ...labels(status.reading), reason: status.reason ?? 'unknown' });
  });

  return () => {
    for (const one of [...plain.map(({ one }) => one), state, stop, energy]) one.reset();
    for (const status of cards.status()) {
      const known = labels(status.reading);
      for (const { one, value } of plain) {
        const found = value(status.reading);
        if (found !== undefined) one.set(known, found);
      }
      for (const name of states) state.set({ ...known, state: name }, +(name === status.state));
      stop.set(known, status.bounds.stopC);
    }
    for (const { status, joules } of meter.totals()) energy.inc(labels(status.reading), joules);
  };
}

function part(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100;
}

function bytes(miB: number | undefined): number | undefined {
  return miB === undefined ? undefined : miB * bytesPerMiB;
}
