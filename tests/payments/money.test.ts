import fc from 'fast-check';
import { billYuanToFen, fenToYuan, yuanToFen } from '../../src/payments/money.js';

test('fen and yuan are the same money, to the fen', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99_999_999_999 }), (fen) => {
      expect(yuanToFen(fenToYuan(fen))).toBe(fen);
      expect(billYuanToFen(fenToYuan(fen))).toBe(fen);
    }),
  );
});

test.each(['12', '12.3', '12.345', '-1.00', '+1.00', '1,000.00', '1e3', ' 1.00', '', '.50', 12.34])(
  'signed money written as %j is no money',
  (text) => {
    expect(yuanToFen(text)).toBeUndefined();
  },
);

test.each([
  ['12', 1_200],
  ['12.3', 1_230],
  ['-0.50', -50],
  [' 12.34 ', 1_234],
  ['12.345', undefined],
  ['--1', undefined],
  ['', undefined],
])('a bill’s %j is %j', (text, fen) => {
  expect(billYuanToFen(text)).toBe(fen);
});

test('no fen below zero, and no half ones', () => {
  expect(() => fenToYuan(-1)).toThrow('below zero');
  for (const fen of [0.5, 2 ** 53, Number.POSITIVE_INFINITY])
    expect(() => fenToYuan(fen)).toThrow('whole number');
});
