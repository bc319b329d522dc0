import type { ImpactAssumptions } from './assumptions.js';
import type { WorkFacts } from './facts.js';

/** How a figure was come by. */
export type Basis = 'counted' | 'measured' | 'extrapolated' | 'rated' | 'stated' | 'computed';

/** Energy of one card or of the processors, by how it is known. */
export interface EnergyShare {
  readonly basis: 'measured' | 'extrapolated' | 'rated';
  readonly seconds: number;
  readonly watts: number;
  readonly joules: number;
}

/** Seconds of a card that have to be measured before its mean power speaks for the rest. */
const speaksFromSeconds = 1;

/**
 * Measured runs as measured; runs without a reading at the mean measured power of the same card; a
 * card that was never measured, and processors, at their rated power.
 */
export function energyOf(work: WorkFacts, assumptions: ImpactAssumptions): EnergyShare[] {
  const { seconds, measuredSeconds, joules } = work;
  const rest = Math.max(0, seconds - measuredSeconds);
  const share = (basis: EnergyShare['basis'], length: number, watts: number): EnergyShare => ({
    ...{ basis, seconds: length, watts },
    joules: watts * length,
  });
  const measured =
    measuredSeconds > 0 ? [share('measured', measuredSeconds, joules / measuredSeconds)] : [];
  if (rest === 0) return measured;
  return [
    ...measured,
    measuredSeconds >= speaksFromSeconds
      ? share('extrapolated', rest, joules / measuredSeconds)
      : share('rated', rest, ratedWattsOf(work, assumptions)),
  ];
}

/** @returns W. */
function ratedWattsOf(
  { provider, card }: Pick<WorkFacts, 'provider' | 'card'>,
  { processorWatts, ratedWatts, unknownCardWatts }: ImpactAssumptions,
): number {
  if (provider === 'cpu') return processorWatts;
  const name = (card ?? '').toLowerCase();
  const known = ratedWatts.find((one) => name.includes(one.card.toLowerCase()));
  return known?.watts ?? unknownCardWatts;
}
