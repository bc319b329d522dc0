import fc from 'fast-check';
import { decodeChromaPlane, encodeChromaPlane } from '../../../src/inference/render/index.js';
import { smoothPlane } from '../support/pictures.js';

test('a plane comes back within the rounding of float16', () => {
  const plane = smoothPlane(37, 21, 110);
  const bytes = encodeChromaPlane(plane);
  expect(bytes.length).toBe(20 + 4 * 37 * 21);
  const back = decodeChromaPlane(bytes);
  expect([back.widthPx, back.heightPx]).toEqual([37, 21]);
  for (const [i, x] of plane.ab.entries()) expect(Math.abs(back.ab[i]! - x)).toBeLessThan(0.032);
});

test('every float16 is rounded to the nearest, extremes and NaN included', () => {
  const values = [
    0,
    1,
    -1,
    0.1,
    127.9,
    -128,
    65_504,
    1e9,
    -1e9,
    1e-7,
    6e-8,
    Number.NaN,
    2049,
    2051,
  ];
  const ab = Float32Array.from(values);
  const { ab: back } = decodeChromaPlane(encodeChromaPlane({ widthPx: 7, heightPx: 1, ab }));
  const rounded = [0, 1, -1, 0.0999755859375, 127.875, -128, 65_504, 65_504, -65_504];
  expect([...back].slice(0, 9)).toEqual(rounded);
  expect(back[9]).toBeCloseTo(1e-7, 7);
  expect(back[11]).toBe(0);
  expect([back[12], back[13]]).toEqual([2048, 2052]);
});

test('damage of any kind is refused', () => {
  const bytes = encodeChromaPlane(smoothPlane(9, 7));
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const hurt = Uint8Array.from(bytes);
      hurt[bit >> 3]! ^= 1 << (bit & 7);
      // Two bytes of the header are spare.
      if (bit >> 4 === 3) return;
      expect(() => decodeChromaPlane(hurt)).toThrow(
        expect.objectContaining({ code: 'PHOTO_UNREADABLE' }),
      );
    }),
    { numRuns: 500 },
  );
  for (const size of [0, 3, 19, 20, bytes.length - 1])
    expect(() => decodeChromaPlane(bytes.subarray(0, size))).toThrow(
      expect.objectContaining({ code: 'PHOTO_UNREADABLE' }),
    );
});
