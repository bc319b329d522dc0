import type { ImpactAssumptions } from './assumptions.js';
import { type Basis, type EnergyShare, energyOf } from './energy.js';
import type { PeriodFacts, WorkFacts } from './facts.js';

/** Unit of a figure. */
export type Unit = 'photos' | 'cards' | 'h' | 'kWh' | 'Wh' | 'g' | 'months' | 'kg' | 'inferences';

/** One line of a report; `key` is in config/messages. */
export interface Figure {
  readonly key: string;
  readonly value: number;
  readonly unit: Unit;
  readonly basis: Basis;
}

/** Something taken as given, or left out; `key` is in config/messages. */
export interface Statement {
  readonly key: string;
  readonly params: Readonly<Record<string, string | number>>;
}

/** What the studio did, spent and kept in use, with what was assumed. */
export interface ImpactReport {
  readonly figures: readonly Figure[];
  readonly assumptions: readonly Statement[];
  /** "Saved" only against something named: absent unless it was asked for. */
  readonly comparison?: { readonly figures: readonly Figure[]; readonly statement: Statement };
  /** Cards that worked, by name. */
  readonly cards: readonly CardLine[];
}

/** One card's share of the work; null where its name or number is not known. */
export interface CardLine {
  readonly name: string | null;
  readonly cardId: string | null;
  readonly hours: number;
  readonly kwh: number;
  readonly lifeMonths: number;
  readonly bases: readonly Basis[];
}

/** What else the operator wants to see. */
export interface ReportWishes {
  /** Compare with new cards bought instead. */
  readonly compareNewCard: boolean;
  /** E-waste as the operator weighed it. */
  readonly weighedKg?: number;
}

const joulesPerKwh = 3_600_000;
const monthMs = (365.25 / 12) * 86_400_000;

/** What a period's work took, from recorded facts and printed assumptions. */
export function impactOf(
  facts: PeriodFacts,
  assumptions: ImpactAssumptions,
  wishes: ReportWishes,
): ImpactReport {
  const energies = facts.work.map((work) => ({ work, shares: energyOf(work, assumptions) }));
  const cards = energies.filter(({ work }) => work.provider !== 'cpu').map(cardLine);
  const comparison = wishes.compareNewCard ? compareNewCard(cards, assumptions) : undefined;
  return {
    figures: figuresOf(facts, energies, cards, assumptions, wishes),
    assumptions: statementsOf(energies, cards, assumptions, wishes),
    cards,
    ...(comparison ? { comparison } : {}),
  };
}

/** Work, and the energy it took. */
export interface WorkEnergy {
  readonly work: WorkFacts;
  readonly shares: readonly EnergyShare[];
}

function cardLine({ work, shares }: WorkEnergy): CardLine {
  return {
    name: work.card,
    cardId: work.cardId,
    hours: work.seconds / 3600,
    kwh: sum(shares.map(({ joules }) => joules)) / joulesPerKwh,
    lifeMonths: (work.lastMs - work.firstMs) / monthMs,
    bases: shares.map(({ basis }) => basis),
  };
}

function figuresOf(
  { photos, work }: PeriodFacts,
  energies: readonly WorkEnergy[],
  cards: readonly CardLine[],
  { grid, hostWatts }: ImpactAssumptions,
  { weighedKg }: ReportWishes,
): Figure[] {
  const onCards = energies.filter((one) => one.work.provider !== 'cpu');
  const onProcessors = energies.filter((one) => one.work.provider === 'cpu');
  const hours = (some: readonly WorkEnergy[]) => sum(some.map((one) => one.work.seconds)) / 3600;
  const kwh = (some: readonly WorkEnergy[], basis?: Basis) =>
    sum(
      some.flatMap(({ shares }) =>
        shares.filter((one) => !basis || one.basis === basis).map(({ joules }) => joules),
      ),
    ) / joulesPerKwh;
  const host = (hostWatts * (hours(onCards) + hours(onProcessors))) / 1000;
  const total = kwh(energies) + host;
  const grams = total * grid.kgPerKwh * 1000;
  const perPhoto = (value: number) => (photos === 0 ? 0 : value / photos);
  const months = sum(cards.map(({ lifeMonths }) => lifeMonths));
  const all: (Figure | false)[] = [
    { key: 'photos', value: photos, unit: 'photos', basis: 'counted' },
    {
      key: 'inferences',
      value: sum(work.map(({ inferences }) => inferences)),
      ...{ unit: 'inferences', basis: 'counted' },
    },
    { key: 'cardHours', value: hours(onCards), unit: 'h', basis: 'counted' },
    onProcessors.length > 0 && {
      ...{ key: 'processorHours', value: hours(onProcessors), unit: 'h', basis: 'counted' },
    },
    ...(['measured', 'extrapolated', 'rated'] as const).map(
      (basis): Figure | false =>
        kwh(onCards, basis) > 0 && {
          ...{ key: 'energyCards', value: kwh(onCards, basis), unit: 'kWh', basis },
        },
    ),
    onProcessors.length > 0 && {
      ...{ key: 'energyProcessors', value: kwh(onProcessors), unit: 'kWh', basis: 'rated' },
    },
    { key: 'energyHost', value: host, unit: 'kWh', basis: 'stated' },
    { key: 'energyTotal', value: total, unit: 'kWh', basis: 'computed' },
    { key: 'energyPerPhoto', value: perPhoto(total * 1000), unit: 'Wh', basis: 'computed' },
    { key: 'emissions', value: grams, unit: 'g', basis: 'computed' },
    { key: 'emissionsPerPhoto', value: perPhoto(grams), unit: 'g', basis: 'computed' },
    { key: 'cards', value: cards.length, unit: 'cards', basis: 'counted' },
    { key: 'lifeMonths', value: months, unit: 'months', basis: 'counted' },
    weighedKg !== undefined && {
      ...{ key: 'weighed', value: weighedKg, unit: 'kg', basis: 'stated' },
    },
  ];
  return all.filter((one): one is Figure => one !== false);
}

function statementsOf(
  energies: readonly WorkEnergy[],
  cards: readonly CardLine[],
  assumptions: ImpactAssumptions,
  { weighedKg }: ReportWishes,
): Statement[] {
  const { grid, hostWatts, processorWatts } = assumptions;
  const onCards = energies.filter(({ work }) => work.provider !== 'cpu');
  const seconds = (some: readonly WorkFacts[]) => sum(some.map((one) => one.seconds));
  const ofCards = onCards.flatMap(({ work, shares }) =>
    shares
      .filter(({ basis }) => basis !== 'measured')
      .map(({ basis, watts }) => ({
        key: basis,
        params: { card: work.card ?? '?', watts: round(watts, 1) },
      })),
  );
  const measured = sum(onCards.map(({ work }) => work.measuredSeconds));
  return [
    { key: 'hours', params: {} },
    ...(measured > 0
      ? [
          {
            key: 'measured',
            params: { percent: round((100 * measured) / seconds(onCards.map((o) => o.work)), 1) },
          },
        ]
      : []),
    ...ofCards,
    ...(energies.length > onCards.length
      ? [{ key: 'processors', params: { watts: processorWatts } }]
      : []),
    { key: 'host', params: { watts: hostWatts } },
    { key: 'grid', params: { ...grid } },
    ...(cards.length > 0 ? [{ key: 'life', params: {} }] : []),
    ...(weighedKg === undefined ? [] : [{ key: 'weighed', params: {} }]),
    { key: 'scope', params: {} },
  ];
}

/** Only against something named: the same months of as many new cards. */
function compareNewCard(cards: readonly CardLine[], { newCard }: ImpactAssumptions) {
  const months = sum(cards.map(({ lifeMonths }) => lifeMonths));
  const { kgCo2e, uncertaintyPercent, lifeMonths, source } = newCard;
  const value = (kgCo2e * months) / lifeMonths;
  const figures: Figure[] = [{ key: 'newCards', value, unit: 'kg', basis: 'stated' }];
  const params = { kgCo2e, uncertaintyPercent, lifeMonths, source, months: round(months, 1) };
  return { figures, statement: { key: 'newCards', params } };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
