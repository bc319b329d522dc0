import type { Figure, ImpactReport, Statement } from '../../studio/impact/report.js';
import type { Language } from '../../studio/ports/basics.js';
import type { Translate } from '../messages.js';

/** A report and how it is to be told. */
export interface ReportPage {
  readonly report: ImpactReport;
  /** YYYY-MM-DD, both included. */
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly t: Translate;
  readonly language: Language;
  readonly madeMs: number;
  readonly organisation: string | undefined;
}

/** One row as text. */
export interface Row {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  readonly basis: string;
}

/** A figure in words, with as many digits as its size deserves. */
export function rowOf({ t, language }: ReportPage, { key, value, unit, basis }: Figure): Row {
  return {
    name: t(`impact.figure.${key}`),
    value: number(value, language),
    unit: t(`impact.unit.${unit}`),
    basis: t(`impact.basis.${basis}`),
  };
}

export function statement({ t }: ReportPage, { key, params }: Statement): string {
  return t(`impact.assumption.${key}`, params);
}

/** Three significant digits; counts in full. */
export function number(value: number, language: Language): string {
  const whole = Number.isInteger(value) || Math.abs(value) >= 1000;
  const digits = whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(language, digits).format(value);
}
