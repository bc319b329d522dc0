import { stat } from 'node:fs/promises';
import path from 'node:path';
import { waitingAloud } from '../cards.js';
import { openWholeEngine } from '../engine.js';
import { errorRecord, WrongUse } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { openShell } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { runBatch } from './batch.js';
import type { ColouringEngine } from './colouring-engine.js';
import { findInputs } from './inputs.js';
import { openJournals } from './journals.js';
import { removeLeftovers } from './leftovers.js';
import { type Manifest, manifestFiles, openManifest } from './manifest.js';
import { filesOf, type PhotoTask, planOutputs } from './outputs.js';
import { type ColorizeOptions, planRecipe } from './plan-recipe.js';
import { createProgress } from './progress.js';
import { writeSheetPage } from './sheet-page.js';
import { exitCodeFor, printSummary } from './summary.js';
import { createWork } from './work.js';

/** `huancai colorize`. */
export async function colorize(
  args: readonly string[],
  options: ColorizeOptions,
): Promise<ExitCode> {
  const shell = openShell(options);
  const tasks = await planTasks(args, options, shell);
  refuseContradictions(options, shell);
  const interrupt = listenForInterrupt(
    () => shell.output.notice(shell.t('cli.interrupted')),
    () => removeLeftovers(tasks.flatMap(filesOf)),
  );
  if (options.resume) removeLeftovers(tasks.flatMap(filesOf));
  const engine = await openColouringEngine(options, shell);
  const journals = openJournals(
    options.resume === true || tasks.length > 1 || !tasks[0]!.named,
    shell,
  );
  let manifest: Manifest | undefined;
  try {
    const startedAt = shell.now();
    const recipe = await planRecipe(options, shell, engine);
    // Only now: a run that cannot begin must leave nothing that the next one would have to respect.
    manifest = openAskedManifest(options, shell);
    const work = createWork(
      { recipe, journalFor: journals.get, isOurs: engine.isLabelled, now: shell.now },
      { resume: options.resume === true, overwrite: options.overwrite === true },
    );
    const progress = createProgress(shell);
    const outcomes = await runBatch(tasks, work, {
      concurrency: options.concurrency ?? engine.photosAtOnce,
      signal: interrupt.signal,
      now: shell.now,
      listener: {
        ...progress,
        finished: async (outcome) => {
          await manifest?.add(outcome);
          progress.finished?.(outcome);
        },
      },
    });
    if (manifest) tellManifest(options.manifest!, shell);
    if (options.contactSheet) await makeSheet(options.contactSheet, outcomes, shell);
    printSummary(outcomes, (shell.now() - startedAt) / 1000, shell);
    return exitCodeFor(outcomes);
  } finally {
    journals.close();
    manifest?.close();
    await engine.close();
    interrupt.close();
  }
}

/** All cards of this machine, or the fleet. */
async function openColouringEngine(
  { fleet }: ColorizeOptions,
  shell: Shell,
): Promise<ColouringEngine> {
  // Queue and stores are loaded only where they are wanted.
  if (fleet) return (await import('./open-fleet.js')).openFleetEngine(shell);
  // One photo more than there are cards: it is decoded meanwhile.
  const engine = await openWholeEngine(shell, waitingAloud(shell));
  return { ...engine, elsewhere: false, photosAtOnce: Math.max(2, engine.cardsAtOnce + 1) };
}

function openAskedManifest(
  { manifest, resume = false, overwrite = false }: ColorizeOptions,
  { cwd, now, t }: Shell,
): Manifest | undefined {
  if (manifest === undefined) return undefined;
  const explain = (error: unknown) => errorRecord(error, t);
  return openManifest(path.resolve(cwd, manifest), { resume, overwrite, now, explain });
}

function tellManifest(name: string, { cwd, output, t }: Shell): void {
  const { lines, table } = manifestFiles(path.resolve(cwd, name));
  output.record({ type: 'manifest', lines, table });
  output.line(t('archive.manifest', { file: lines }));
}

async function makeSheet(
  name: string,
  outcomes: Awaited<ReturnType<typeof runBatch>>,
  shell: Shell,
): Promise<void> {
  const { file, photos } = await writeSheetPage(path.resolve(shell.cwd, name), outcomes, shell);
  shell.output.record({ type: 'contactSheet', file, photos });
  shell.output.line(shell.t('archive.sheet', { count: photos, file }));
}

async function planTasks(
  args: readonly string[],
  options: ColorizeOptions,
  { cwd, t }: Shell,
): Promise<PhotoTask[]> {
  const output = options.output === undefined ? undefined : path.resolve(cwd, options.output);
  const stats = output === undefined ? undefined : await stat(output).catch(() => undefined);
  const photos = await findInputs(args, {
    cwd,
    recursive: options.recursive === true,
    outputDir: output,
  });
  if (photos.length === 0) {
    throw new WrongUse(t('cli.noPhotos', { where: args.join(', ') }));
  }
  return planOutputs(photos, {
    cwd,
    output: options.output,
    outputIsFolder: stats?.isDirectory() === true,
    format: options.format,
    compare: options.compare === true,
    variants: options.variants,
  });
}

function refuseContradictions({ size, model, variants }: ColorizeOptions, { t }: Shell): void {
  if (variants > 1) return;
  for (const [option, values] of Object.entries({ '--size': size, '--model': model })) {
    if ((values?.length ?? 1) > 1) throw new WrongUse(t('cli.needsVariants', { option }));
  }
}
