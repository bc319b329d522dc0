import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPeriodReports } from '../../storage/impact-store.js';
import { DiskUnavailable } from '../../studio/errors/index.js';
import { type ImpactAssumptions, knownGrids } from '../../studio/impact/assumptions.js';
import { impactOf } from '../../studio/impact/report.js';
import type { Config } from '../config.js';
import { OutputExists, WrongUse } from '../errors.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { openStudioDatabase } from '../open-queue.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { dayStartMs, nextDay } from './days.js';
import type { ReportPage } from './page.js';
import { writeCsv } from './write-csv.js';
import { writeHtml } from './write-html.js';
import { writeMarkdown } from './write-markdown.js';

export interface ImpactOptions extends GlobalOptions {
  /** YYYY-MM-DD, both included. */
  readonly from: string;
  readonly to: string;
  readonly format: 'md' | 'csv' | 'html';
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly grid?: keyof typeof knownGrids;
  readonly weighedKg?: number;
  readonly compareNewCard?: boolean;
  readonly organisation?: string;
}

const writers = { md: writeMarkdown, csv: writeCsv, html: writeHtml };

/** `huancai report impact`. @throws {WrongUse | OutputExists | DatabaseAway} */
export async function reportImpact(options: ImpactOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { from, to, format } = options;
  if (from > to) throw new WrongUse(`--from ${from} --to ${to}`);
  const file = options.output === undefined ? undefined : path.resolve(shell.cwd, options.output);
  if (file && existsSync(file) && !options.overwrite) throw new OutputExists(file);
  const page = await readPage(options, shell);
  const { figures, assumptions, comparison, cards } = page.report;
  shell.output.record({
    ...{ type: 'impact', from, to, timeZone: page.timeZone },
    ...{ figures, assumptions, cards, comparison: comparison ?? null },
  });
  const text = writers[format](page);
  if (file === undefined) {
    shell.output.line(text.trimEnd());
    return exitCodes.done;
  }
  await writeFile(file, text).catch((error: Error) => {
    throw new DiskUnavailable(file, error.message, error);
  });
  shell.output.line(shell.t('impact.written', { file }));
  return exitCodes.done;
}

async function readPage(options: ImpactOptions, shell: Shell): Promise<ReportPage> {
  const { config, t, language, now } = shell;
  const { timeZone } = config.studio;
  const { from, to, weighedKg } = options;
  const database = await openStudioDatabase(shell);
  try {
    const [fromMs, toMs] = [dayStartMs(from, timeZone), dayStartMs(nextDay(to), timeZone)];
    const facts = await createPeriodReports(database).period(fromMs, toMs);
    const assumptions = assumptionsOf(config, options.grid);
    const report = impactOf(facts, assumptions, {
      compareNewCard: options.compareNewCard === true,
      ...(weighedKg === undefined ? {} : { weighedKg }),
    });
    const { organisation } = options;
    const madeMs = now();
    return { ...{ report, from, to, timeZone, t, language, madeMs }, organisation };
  } finally {
    await database.close();
  }
}

function assumptionsOf(
  { impact }: Config,
  grid: keyof typeof knownGrids | undefined,
): ImpactAssumptions {
  const { gridName: name, gridKgPerKwh: kgPerKwh, gridSource: source } = impact;
  const { hostWatts, processorWatts, unknownCardWatts, ratedWatts } = impact;
  return {
    grid: grid ? knownGrids[grid] : { name, kgPerKwh, source },
    ...{ hostWatts, processorWatts, unknownCardWatts, ratedWatts },
    newCard: {
      kgCo2e: impact.newCardKgCo2e,
      uncertaintyPercent: impact.newCardUncertaintyPercent,
      lifeMonths: impact.newCardLifeMonths,
      source: impact.newCardSource,
    },
  };
}
