import { csvTable } from '../csv.js';
import { type ReportPage, rowOf, statement } from './page.js';

/**
 * The report as CSV (RFC 4180) with a byte order mark, so that spreadsheets show Chinese. `key`,
 * `number` and `basis_key` are the same in every language.
 */
export function writeCsv(page: ReportPage): string {
  const { report, from, to, timeZone } = page;
  const head = ['section', 'key', 'name', 'number', 'unit', 'basis_key', 'basis'];
  const figure = (section: string) => (one: (typeof report.figures)[number]) => {
    const { name, unit, basis } = rowOf(page, one);
    return [section, one.key, name, String(one.value), unit, one.basis, basis];
  };
  const say = (section: string) => (one: (typeof report.assumptions)[number]) => [
    ...[section, one.key, statement(page, one), '', '', '', ''],
  ];
  const { comparison } = report;
  const rows = [
    head,
    ['period', 'from', from, '', timeZone, '', ''],
    ['period', 'to', to, '', timeZone, '', ''],
    ...report.figures.map(figure('figure')),
    ...report.cards.flatMap(({ name, cardId, hours, kwh, lifeMonths }) => {
      const card = [name, cardId].filter(Boolean).join(' ');
      const line = (key: string, value: number, unit: 'h' | 'kWh' | 'months') => [
        ...['card', key, card, String(value), page.t(`impact.unit.${unit}`), '', ''],
      ];
      return [
        line('hours', hours, 'h'),
        line('energy', kwh, 'kWh'),
        line('lifeMonths', lifeMonths, 'months'),
      ];
    }),
    ...(comparison ? comparison.figures.map(figure('comparison')) : []),
    ...(comparison ? [comparison.statement].map(say('comparison')) : []),
    ...report.assumptions.map(say('assumption')),
  ];
  return csvTable(rows);
}
