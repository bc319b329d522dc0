import type { Figure } from '../../studio/impact/report.js';
import { number, type ReportPage, rowOf, statement } from './page.js';

/** The report as Markdown. */
export function writeMarkdown(page: ReportPage): string {
  const { report, from, to, timeZone, t, language, organisation } = page;
  const title = organisation ? `${t('impact.title')}: ${cell(organisation)}` : t('impact.title');
  const lines = [
    ...[`# ${title}`, '', t('impact.period', { from, to, timeZone }), ''],
    ...table(page, report.figures),
  ];
  if (report.cards.length > 0) {
    const head = ['card', 'hours', 'energy', 'months'].map((key) => t(`impact.cards.${key}`));
    lines.push('', `## ${t('impact.cards.title')}`, '', row(head), row(head.map(() => '---')));
    for (const { name, cardId, hours, kwh, lifeMonths } of report.cards) {
      const known = [name ?? t('impact.cards.unnamed'), cardId].filter(Boolean).join(' ');
      const values = [hours, kwh, lifeMonths].map((value) => number(value, language));
      lines.push(row([cell(known), ...values]));
    }
  }
  if (report.comparison) {
    lines.push('', `## ${t('impact.comparison')}`, '', ...table(page, report.comparison.figures));
    lines.push('', statement(page, report.comparison.statement));
  }
  lines.push('', `## ${t('impact.assumptions')}`, '');
  for (const one of report.assumptions) lines.push(`- ${statement(page, one)}`);
  return `${lines.join('\n')}\n`;
}

function table(page: ReportPage, figures: readonly Figure[]): string[] {
  const head = ['what', 'value', 'unit', 'basis'].map((key) => page.t(`impact.column.${key}`));
  const rows = figures.map((figure) => {
    const { name, value, unit, basis } = rowOf(page, figure);
    return row([name, value, unit, basis]);
  });
  return [row(head), row(['---', '---:', '---', '---']), ...rows];
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** Names of people and cards must not end a cell or begin a link. */
function cell(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\|[\]<>*_`]/g, '\\$&');
}
