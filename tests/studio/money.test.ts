import fc from 'fast-check';
import { yuan } from '../../src/studio/money.js';

test.each([
  [0, '0.00'],
  [5, '0.05'],
  [990, '9.90'],
  [-5, '-0.05'],
  [-123_456, '-1234.56'],
  [29_00, '29.00'],
])('%i fen are %s yuan', (fen, text) => expect(yuan(fen)).toBe(text));

test('no amount is rounded, and two decimals stand always', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (fen) => {
      const text = yuan(fen);
      expect(text).toMatch(/^-?\d+\.\d\d$/);
      expect(BigInt(text.replace('.', ''))).toBe(BigInt(fen));
    }),
  );
});

test('half a fen is a bug', () => expect(() => yuan(0.5)).toThrow(RangeError));
