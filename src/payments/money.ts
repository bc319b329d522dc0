import assert from 'node:assert/strict';
import { yuan } from '../studio/money.js';

const strictYuan = /^\d{1,9}\.\d{2}$/;

/** 1234 -> "12.34". @param fen integer, 1..99,999,999,999. */
export function fenToYuan(fen: number): string {
  assert(fen >= 0, `an amount is never below zero, got ${fen}`);
  return yuan(fen);
}

/**
 * "12.34" -> 1234, without floating point. Strict: anything but digits, a point and two digits
 * answers undefined, because the signed string of a notification can be stretched by text fields.
 */
export function yuanToFen(yuan: unknown): number | undefined {
  if (typeof yuan !== 'string' || !strictYuan.test(yuan)) return undefined;
  return Number(yuan.replace('.', ''));
}

/** Bills write "12.3", "-0.50" or "12.34": at most two decimals, an optional sign. */
export function billYuanToFen(yuan: string): number | undefined {
  const match = /^(-?)(\d{1,9})(?:\.(\d{1,2}))?$/.exec(yuan.trim());
  if (!match) return undefined;
  const fen = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'));
  return match[1] ? -fen : fen;
}
