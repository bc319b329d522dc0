import fc from 'fast-check';
import { type ImpactAssumptions, knownGrids } from '../../src/studio/impact/assumptions.js';
import type { WorkFacts } from '../../src/studio/impact/facts.js';
import { impactOf } from '../../src/studio/impact/report.js';

const assumptions: ImpactAssumptions = {
  grid: knownGrids.china,
  ...{ hostWatts: 0, processorWatts: 65, unknownCardWatts: 100 },
  ratedWatts: [{ card: 'GTX 1060', watts: 120 }],
  newCard: { kgCo2e: 60, uncertaintyPercent: 60, lifeMonths: 48, source: 'EcoDiag' },
};
const none = { compareNewCard: false };

function work(facts: Partial<WorkFacts> = {}): WorkFacts {
  return {
    ...{ provider: 'cuda', card: 'NVIDIA GeForce GTX 1060 6GB', cardId: 'GPU-1' },
    ...{ inferences: 1, seconds: 15, measuredSeconds: 0, joules: 0, firstMs: 0, lastMs: 0 },
    ...facts,
  };
}

function figureOf(report: ReturnType<typeof impactOf>, key: string, basis?: string) {
  return report.figures.find((one) => one.key === key && (!basis || one.basis === basis))?.value;
}

test('120 W for 15 s are 0.5 Wh, and 0.27 g on the Chinese grid', () => {
  const report = impactOf({ photos: 1, work: [work()] }, assumptions, none);
  expect(figureOf(report, 'energyPerPhoto')).toBeCloseTo(0.5, 10);
  expect(figureOf(report, 'emissions')).toBeCloseTo(0.2683, 10);
  expect(figureOf(report, 'energyCards', 'rated')).toBeCloseTo(0.0005, 10);
  expect(figureOf(report, 'energyCards', 'measured')).toBeUndefined();
  expect(report.assumptions).toContainEqual({
    key: 'rated',
    params: { card: 'NVIDIA GeForce GTX 1060 6GB', watts: 120 },
  });
});

test('what was measured speaks for the rest of the same card, and for no other', () => {
  const facts = [
    work({ seconds: 3600, measuredSeconds: 36, joules: 36 * 90 }),
    work({ card: 'NVIDIA Something', cardId: 'GPU-2', seconds: 3600 }),
    work({ provider: 'cpu', card: null, cardId: null, seconds: 3600 }),
  ];
  const report = impactOf({ photos: 10, work: facts }, assumptions, none);
  expect(figureOf(report, 'energyCards', 'measured')).toBeCloseTo(0.0009, 10);
  expect(figureOf(report, 'energyCards', 'extrapolated')).toBeCloseTo(0.0891, 10);
  expect(figureOf(report, 'energyCards', 'rated')).toBeCloseTo(0.1, 10);
  expect(figureOf(report, 'energyProcessors')).toBeCloseTo(0.065, 10);
  expect(figureOf(report, 'energyTotal')).toBeCloseTo(0.255, 10);
  expect(figureOf(report, 'cardHours')).toBe(2);
});

test('nothing happened: zeros, no division by nothing', () => {
  const report = impactOf({ photos: 0, work: [] }, assumptions, none);
  expect(report.figures.every(({ value }) => value === 0)).toBe(true);
  expect(report.assumptions.map(({ key }) => key)).toEqual(['hours', 'host', 'grid', 'scope']);
});

test('new cards are compared with only when asked for, with their premise', () => {
  const monthMs = (365.25 / 12) * 86_400_000;
  const facts = { photos: 1, work: [work({ lastMs: 12 * monthMs })] };
  const plain = impactOf(facts, assumptions, none);
  expect(plain.comparison).toBeUndefined();
  expect(JSON.stringify(plain)).not.toMatch(/newCard/);
  const { comparison } = impactOf(facts, assumptions, { compareNewCard: true, weighedKg: 3 });
  expect(comparison?.figures[0]?.value).toBeCloseTo(15, 10);
  expect(comparison?.statement.params).toMatchObject({ months: 12, uncertaintyPercent: 60 });
});

test('the parts always add up, and energy lies between nothing and everything rated or measured', () => {
  const anyWork = fc
    .record({
      provider: fc.constantFrom('cpu', 'cuda', 'webgpu'),
      card: fc.constantFrom('NVIDIA GeForce GTX 1060 3GB', 'AMD Radeon RX 580', null),
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      watts: fc.double({ min: 1, max: 400, noNaN: true }),
    })
    .map(({ share, watts, ...one }) => {
      const measuredSeconds = one.provider === 'cpu' ? 0 : one.seconds * share;
      return work({ ...one, measuredSeconds, joules: measuredSeconds * watts });
    });
  fc.assert(
    fc.property(fc.array(anyWork, { maxLength: 8 }), fc.nat(1000), (all, photos) => {
      const report = impactOf({ photos, work: all }, { ...assumptions, hostWatts: 30 }, none);
      const of = (key: string) =>
        report.figures.filter((one) => one.key === key).reduce((sum, one) => sum + one.value, 0);
      const parts = of('energyCards') + of('energyProcessors') + of('energyHost');
      expect(of('energyTotal')).toBeCloseTo(parts, 6);
      const hours = all.reduce((sum, one) => sum + one.seconds, 0) / 3600;
      expect(of('energyTotal')).toBeLessThanOrEqual(hours * 0.43 + 1e-9);
      expect(of('emissions')).toBeCloseTo(of('energyTotal') * 536.6, 4);
    }),
  );
});
