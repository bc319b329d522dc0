import type { Figure } from '../../studio/impact/report.js';
import { escapeHtml } from '../html.js';
import { number, type ReportPage, rowOf, statement } from './page.js';

/** Figures that stand large at the top, as far as they are there. */
const headline = ['photos', 'cardHours', 'energyTotal', 'emissions', 'lifeMonths'];

/** The report as one page to print or to keep as PDF; nothing is loaded from anywhere. */
export function writeHtml(page: ReportPage): string {
  const { report, from, to, timeZone, t, language, organisation, madeMs } = page;
  const title = escapeHtml(t('impact.title'));
  const large = report.figures.filter(({ key }) => headline.includes(key));
  const rest = report.figures.filter(({ key }) => !headline.includes(key));
  const made = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone }).format(madeMs);
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} ${from} – ${to}</title>
<style>${style}</style>
<main>
<header>
<p class="who">${escapeHtml(organisation ?? 'Huancai 焕彩')}</p>
<h1>${title}</h1>
<p class="period">${escapeHtml(t('impact.period', { from, to, timeZone }))}</p>
</header>
<section class="large">${large.map((one) => largeFigure(page, one)).join('')}</section>
<section><h2>${escapeHtml(t('impact.details'))}</h2>${table(page, rest)}</section>
${cards(page)}
${comparison(page)}
<section><h2>${escapeHtml(t('impact.assumptions'))}</h2>
<ol>${report.assumptions.map((one) => `<li>${escapeHtml(statement(page, one))}</li>`).join('')}</ol></section>
<footer>${escapeHtml(t('impact.made', { date: made }))}</footer>
</main>
</html>
`;
}

function largeFigure(page: ReportPage, figure: Figure): string {
  const { name, value, unit, basis } = rowOf(page, figure);
  const [shown, said, note] = [value, unit, basis].map(escapeHtml);
  return `<div><p class="value">${shown}<span> ${said}</span></p><p>${escapeHtml(name)}</p><p class="basis">${note}</p></div>`;
}

function table(page: ReportPage, figures: readonly Figure[]): string {
  const { t } = page;
  const head = ['what', 'value', 'basis'].map((key) => t(`impact.column.${key}`));
  const rows = figures.map((figure) => {
    const { name, value, unit, basis } = rowOf(page, figure);
    return cells([name, `${value} ${unit}`, basis]);
  });
  return `<table><thead>${cells(head, 'th')}</thead><tbody>${rows.join('')}</tbody></table>`;
}

function cards({ report, t, language }: ReportPage): string {
  if (report.cards.length === 0) return '';
  const head = ['card', 'hours', 'energy', 'months'].map((key) => t(`impact.cards.${key}`));
  const rows = report.cards.map(({ name, hours, kwh, lifeMonths }) =>
    cells([
      name ?? t('impact.cards.unnamed'),
      ...[hours, kwh, lifeMonths].map((value) => number(value, language)),
    ]),
  );
  return `<section><h2>${escapeHtml(t('impact.cards.title'))}</h2>
<table><thead>${cells(head, 'th')}</thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function comparison(page: ReportPage): string {
  const { comparison } = page.report;
  if (!comparison) return '';
  return `<section class="comparison"><h2>${escapeHtml(page.t('impact.comparison'))}</h2>
${table(page, comparison.figures)}<p>${escapeHtml(statement(page, comparison.statement))}</p></section>`;
}

function cells(texts: readonly string[], tag: 'td' | 'th' = 'td'): string {
  return `<tr>${texts.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join('')}</tr>`;
}

const style = `
:root { color: #1d2320; background: #f4f1ea; font: 15px/1.6 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
body { margin: 0; }
main { max-width: 190mm; margin: 0 auto; padding: 16mm 12mm; background: #fff; }
header { border-bottom: 3px solid #b4582c; padding-bottom: 5mm; margin-bottom: 8mm; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 17px; margin: 9mm 0 3mm; }
.who { margin: 0 0 4mm; letter-spacing: .04em; color: #b4582c; font-weight: 600; }
.period, footer, .basis { color: #69706c; margin: 0; }
.large { display: grid; grid-template-columns: repeat(auto-fit, minmax(32mm, 1fr)); gap: 6mm; }
.large p { margin: 0; }
.large .value { font-size: 30px; font-weight: 650; line-height: 1.2; white-space: nowrap; }
.large .value span { font-size: 14px; font-weight: 400; color: #69706c; }
.basis { font-size: 13px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 1.6mm 3mm 1.6mm 0; border-bottom: 1px solid #e2ddd3; }
th { font-size: 13px; color: #69706c; font-weight: 500; }
ol { padding-left: 5mm; margin: 0; }
li { margin-bottom: 1.2mm; }
.comparison { border: 1px dashed #b4582c; padding: 0 5mm 3mm; margin-top: 9mm; }
.comparison h2 { margin-top: 4mm; }
footer { margin-top: 10mm; font-size: 13px; }
section { break-inside: avoid; }
@page { size: A4; margin: 12mm; }
@media print { :root { background: #fff; } main { padding: 0; max-width: none; } }
`;
