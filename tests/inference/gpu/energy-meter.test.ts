import fc from 'fast-check';
import { createEnergyMeter } from '../../../src/inference/gpu/energy-meter.js';
import { cardStatus, emulateCards } from '../../support/emulated-cards.js';

test('a run is measured by the readings that fell into it', () => {
  const cards = emulateCards();
  const meter = createEnergyMeter(cards);
  cards.tell(cardStatus({ powerW: 10, atMs: 0 }));
  cards.tell(cardStatus({ powerW: 100, atMs: 5_000 }));
  cards.tell(cardStatus({ powerW: 120, atMs: 10_000 }));
  cards.tell(cardStatus({ powerW: 12, atMs: 15_000 }));
  const known = { card: 'NVIDIA GeForce GTX 1060 6GB', cardId: 'GPU-1' };
  // 4 s .. 12 s: 100 and 120 W.
  expect(meter.during(0, 12_000, 8)).toEqual({ ...known, joules: 880 });
  // Between two readings: not measured, not guessed.
  expect(meter.during(0, 9_000, 3)).toEqual(known);
  expect(meter.during(1, 12_000, 8)).toBeUndefined();
});

test('a card that tells no power, or only later, has a name and no energy', () => {
  const cards = emulateCards();
  const meter = createEnergyMeter(cards);
  expect(meter.during(0, 1_000, 1)).toBeUndefined();
  cards.tell(cardStatus({ name: 'NVIDIA GeForce GTX 1050 Ti', atMs: 0 }));
  expect(meter.during(0, 1_000, 5)).toEqual({
    ...{ card: 'NVIDIA GeForce GTX 1050 Ti', cardId: 'GPU-1' },
  });
  expect(meter.totals()).toMatchObject([{ joules: 0 }]);
});

test('the sum over time is the integral, whatever the rhythm of the readings', () => {
  const rhythm = fc.array(fc.integer({ min: 100, max: 60_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(rhythm, fc.integer({ min: 1, max: 300 }), (gaps, slope) => {
      const cards = emulateCards();
      const meter = createEnergyMeter(cards);
      // Power rises evenly: trapezoids are exact.
      const powerAt = (atMs: number) => 20 + (slope * atMs) / 1e6;
      let atMs = 0;
      cards.tell(cardStatus({ powerW: powerAt(0), atMs }));
      for (const gap of gaps) {
        atMs += gap;
        cards.tell(cardStatus({ powerW: powerAt(atMs), atMs }));
        // A silent driver: the same reading again adds nothing.
        cards.tell(cardStatus({ powerW: powerAt(atMs), atMs }));
      }
      const seconds = atMs / 1000;
      const exact = 20 * seconds + (slope * seconds * seconds) / 2e3;
      expect(meter.totals()[0]!.joules).toBeCloseTo(exact, 3);
    }),
  );
});

test('an hour of silence is not filled with guesses', () => {
  const cards = emulateCards();
  const meter = createEnergyMeter(cards);
  cards.tell(cardStatus({ powerW: 100, atMs: 0 }));
  cards.tell(cardStatus({ powerW: 100, atMs: 10_000 }));
  cards.tell(cardStatus({ powerW: 100, atMs: 3_610_000 }));
  expect(meter.totals()[0]!.joules).toBe(1000);
});
