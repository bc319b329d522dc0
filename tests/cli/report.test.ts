import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { dayStartMs, nextDay } from '../../src/cli/report/days.js';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { runCli } from '../support/cli.js';

jest.setTimeout(180_000);

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-report-'));
  await fill(path.join(dir, 'data', 'studio.db'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Two photos of the 3rd and the 20th of March 2027 in Shanghai, one of the minute after. */
async function fill(file: string): Promise<void> {
  const database = await openMigratedDatabase({ file }, { now: () => 1 });
  const run = (text: string) => sql.raw(text).execute(database.raw);
  await run(`insert into customers (id, code, language, preset, finishing, created_ms)
    values ('cu_1', 'A', 'en', 'auto', '{}', 1)`);
  const add = async (n: number, at: string, seconds: number, joules: number | null) => {
    await run(`insert into photos (id, customer_id, state, key, chat, preset, runs, created_ms,
      updated_ms) values ('ph_${n}', 'cu_1', 'deleted', 'k${n}', '{}', 'auto', 1, 1, 1)`);
    await run(`insert into looks (id, photo_id, "index", state, model, finishing, provider, seconds,
      joules, card, card_id, ready_ms, notes, created_ms) values ('lk_${n}', 'ph_${n}', 0, 'ready',
      'starter', '{}', 'cuda', ${seconds}, ${joules}, 'NVIDIA GeForce GTX 1060 6GB', 'GPU-1',
      ${Date.parse(at)}, '[]', 1)`);
  };
  await add(1, '2027-03-03T00:00:00+08:00', 1800, 1800 * 100);
  await add(2, '2027-03-20T23:59:59.999+08:00', 1800, null);
  await add(3, '2027-03-21T00:00:00+08:00', 9999, null);
  await database.close();
}

function report(...args: string[]) {
  const env = { HUANCAI_DATA_DIR: path.join(dir, 'data') };
  const days = ['--from', '2027-03-03', '--to', '2027-03-20'];
  return runCli(['report', 'impact', ...days, ...args], { cwd: dir, env });
}

test('days begin where the studio is, and end before the next one', async () => {
  const { code, records } = await report('--json');
  expect(code).toBe(0);
  const [impact] = records() as unknown as [
    { figures: { key: string; value: number; basis: string }[]; comparison: unknown },
  ];
  const value = (key: string, basis?: string) =>
    impact.figures.find((one) => one.key === key && (!basis || one.basis === basis))?.value;
  expect(value('photos')).toBe(2);
  expect(value('cardHours')).toBe(1);
  expect(value('energyCards', 'measured')).toBeCloseTo(0.05, 9);
  expect(value('energyCards', 'extrapolated')).toBeCloseTo(0.05, 9);
  expect(value('energyHost')).toBeCloseTo(0.03, 9);
  expect(value('emissions')).toBeCloseTo(0.13 * 536.6, 6);
  expect(impact.comparison).toBeNull();
});

test('Markdown names the grid factor and never says saved', async () => {
  const { out } = await report('--grid', 'yunnan', '--weighed-kg', '4.2');
  expect(out).toContain('Yunnan 2022, 0.1073 kg CO2e per kWh');
  expect(out).toContain('| Emissions of that energy | 13.9 | g CO2e |');
  expect(out).toContain('GTX 1060 6GB');
  expect(out).toContain('| E-waste weighed | 4.2 | kg | stated by the operator |');
  expect(out).not.toMatch(/saved|avoided/i);
  const { out: compared } = await report('--compare-new-card');
  expect(compared).toMatch(/an assumption, not a measurement/);
  expect(compared).toMatch(/± 60 %, EcoDiag/);
});

test('CSV is for spreadsheets, formulas stay text, keys are the same in both languages', async () => {
  const files = await Promise.all(
    ['en', 'zh-CN'].map(async (lang) => {
      const file = path.join(dir, `${lang}.csv`);
      const run = await report('--format', 'csv', '--lang', lang, '-o', file);
      expect(run.code).toBe(0);
      return readFileSync(file, 'utf8');
    }),
  );
  for (const text of files) {
    expect(text.startsWith('\uFEFFsection,key,name,number,unit,basis_key,basis\r\n')).toBe(true);
    expect(text).toMatch(/^figure,energyTotal,[^,]+,0\.13\d*,/m);
  }
  expect(files[1]).toContain('显卡实测');
  const keys = (text: string) => text.split('\r\n').map((line) => line.split(',')[1]);
  expect(keys(files[0]!)).toEqual(keys(files[1]!));
  const again = await report('--format', 'csv', '-o', path.join(dir, 'en.csv'));
  expect(again.err).toContain('exists already');
});

test('the page stands alone, in both languages, and a name cannot break out of it', async () => {
  const name = '<script>alert(1)</script> "Photo" & Co';
  for (const [lang, title] of [
    ['en', 'Impact report'],
    ['zh-CN', '影响报告'],
  ]) {
    const { out } = await report('--format', 'html', '--lang', lang!, '--organisation', name);
    expect(out).toContain(`<h1>${title}</h1>`);
    expect(out).toContain(`<html lang="${lang}">`);
    expect(out).not.toContain('<script>');
    expect(out).toContain('&lt;script&gt;');
    expect(out).not.toMatch(/(src|href|url\()\s*=?\s*["']?https?:/);
  }
});

test('what cannot be a period is refused', async () => {
  expect((await report('--to', '2027-02-30')).code).toBe(2);
  expect((await report('--to', '2027-03-01')).code).toBe(2);
  expect((await report('--grid', 'moon')).code).toBe(2);
});

test('days of every zone begin at their midnight', () => {
  for (const zone of ['Asia/Shanghai', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Berlin'])
    for (const date of ['2027-03-28', '2027-12-31', '2028-02-29']) {
      const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
      const startMs = dayStartMs(date, zone);
      expect(format.format(startMs)).toBe(date);
      expect(format.format(startMs - 1)).not.toBe(date);
    }
  expect(dayStartMs('2027-03-03', 'Asia/Shanghai')).toBe(Date.parse('2027-03-03T00:00:00+08:00'));
  expect(nextDay('2027-12-31')).toBe('2028-01-01');
});
