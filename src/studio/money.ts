/**
 * Fen as yuan, without floating point: 990 is `9.90`, -5 is `-0.05`. The page uses it too.
 * @param fen whole.
 * @throws {RangeError} anything else: a bug.
 */
export function yuan(fen: number): string {
  if (!Number.isSafeInteger(fen)) throw new RangeError(`fen must be a whole number, got ${fen}`);
  const whole = Math.abs(fen);
  const digits = `${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, '0')}`;
  return fen < 0 ? `-${digits}` : digits;
}
