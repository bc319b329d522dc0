import fc from 'fast-check';
import { floatsToHalves, halvesToFloats } from '../../src/inference/float16.js';

test('every half survives the way to float and back; rounding is to nearest even', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const back = floatsToHalves(halvesToFloats(all));
  for (const half of all) {
    const notNumber = (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0;
    expect(notNumber ? (back[half]! & 0x7c00) === 0x7c00 : back[half]).toBe(
      notNumber ? true : half,
    );
  }
  const ties = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 2 ** -26);
  expect([...floatsToHalves(ties)]).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 0]);
});

test('no single is rounded further than half a step; too large becomes infinite', () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const back = floatsToHalves(halvesToFloats(all));
  const wrong = all.filter((bits, i) => back[i] !== bits && (bits & 0x7fff) <= 0x7c00);
  expect(wrong).toHaveLength(0);
  fc.assert(
    fc.property(fc.float({ noNaN: true, min: -65_000, max: 65_000 }), (value) => {
      const [half] = halvesToFloats(floatsToHalves(Float32Array.of(value)));
      const spacing = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 10));
      expect(Math.abs(half! - value)).toBeLessThanOrEqual(spacing / 2);
    }),
  );
  expect(halvesToFloats(floatsToHalves(Float32Array.of(1e6, -1e6, Number.NaN)))).toEqual(
    Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN),
  );
});
