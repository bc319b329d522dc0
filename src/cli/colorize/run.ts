import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Cancelled } from '../../studio/errors/index.js';
import { waitingAloud } from '../cards.js';
import { openWholeEngine } from '../engine.js';
import { errorRecord, FolderLocked, WrongUse } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { CLEAN_UP_MS, type Interrupt, listenForInterrupt } from '../interrupt.js';
import { openShell } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { type BatchListener, runBatch } from './batch.js';
import { readablePath } from './byte-names.js';
import type { ColouringEngine } from './colouring-engine.js';
import { type FoundInputs, findInputs } from './inputs.js';
import { openJournals } from './journals.js';
import { removeLeftovers } from './leftovers.js';
import { type Manifest, manifestFiles, openManifest } from './manifest.js';
import { createOddLinks, type OddLinks } from './odd-links.js';
import { filesOf, type PhotoTask, planOutputs, refusePlace } from './outputs.js';
import { type ColorizeOptions, planRecipe } from './plan-recipe.js';
import { createProgress } from './progress.js';
import { rawArguments } from './raw-arguments.js';
import { writeSheetPage } from './sheet-page.js';
import { exitCodeFor, printSummary } from './summary.js';
import { leftAloneText, tellFound } from './tell-found.js';
import { createWork } from './work.js';

/** `huancai colorize`. */
export async function colorize(
  args: readonly string[],
  options: ColorizeOptions,
): Promise<ExitCode> {
  const shell = openShell(options);
  let tasks: readonly PhotoTask[] = [];
  const progress = createProgress(shell);
  const interrupt = listenForInterrupt(
    () => shell.output.notice(shell.t('cli.interrupted')),
    () => {
      progress.closed?.();
      removeLeftovers(tasks.flatMap(filesOf));
    },
  );
  const links = createOddLinks(shell.config.paths.tempDir);
  try {
    // Already looking for photos may meet a drive that does not answer.
    const plan = await interrupt.wait(planTasks(args, options, shell, links));
    tasks = plan.tasks;
    refuseContradictions(options, shell);
    return await colourAll(plan, options, shell, interrupt, progress);
  } finally {
    progress.closed?.();
    interrupt.close();
    links.remove();
  }
}

async function colourAll(
  { tasks, found }: Plan,
  options: ColorizeOptions,
  shell: Shell,
  interrupt: Interrupt,
  progress: BatchListener,
): Promise<ExitCode> {
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
    tellFound(found, shell);
    const work = createWork(
      { recipe, journalFor: journals.get, isOurs: engine.isLabelled, now: shell.now },
      { resume: options.resume === true, overwrite: options.overwrite === true },
    );
    const outcomes = await runBatch(tasks, work, {
      concurrency: options.concurrency ?? engine.photosAtOnce,
      signal: interrupt.signal,
      wait: interrupt.wait,
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
    printSummary(outcomes, found, (shell.now() - startedAt) / 1000, shell);
    return exitCodeFor(outcomes, found);
  } finally {
    journals.close();
    manifest?.close();
    await interrupt.wait(engine.close(), CLEAN_UP_MS).catch(ignoreIfStopped);
  }
}

/** What does not close in time is closed by the end of the process. */
function ignoreIfStopped(error: unknown): void {
  if (!(error instanceof Cancelled)) throw error;
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

interface Plan {
  readonly tasks: readonly PhotoTask[];
  readonly found: FoundInputs;
}

async function planTasks(
  args: readonly string[],
  options: ColorizeOptions,
  shell: Shell,
  links: OddLinks,
): Promise<Plan> {
  const { cwd } = shell;
  const named = rawArguments([...args, ...(options.output === undefined ? [] : [options.output])]);
  const places = named.slice(0, args.length);
  const output = named[args.length] === undefined ? undefined : readablePath(named[args.length]!);
  const full = output === undefined ? undefined : path.resolve(cwd, output);
  const stats = full === undefined ? undefined : await stat(full).catch(() => undefined);
  if (output !== undefined) refusePlace(output, stats);
  const recursive = options.recursive === true;
  const found = await findInputs(places, { cwd, recursive, outputDir: full, links });
  if (found.photos.length === 0) throw nothingFound(places, found, shell);
  const tasks = planOutputs(found.photos, {
    cwd,
    output,
    outputIsFolder: stats?.isDirectory() === true,
    format: options.format,
    compare: options.compare === true,
    variants: options.variants,
  });
  return { tasks, found };
}

/** Nothing to do, and what is there instead of photos. */
function nothingFound(places: readonly string[], found: FoundInputs, { t }: Shell): Error {
  const [first] = found.locked;
  if (first) return new FolderLocked(first.folder, first.error);
  const nothing = t('cli.noPhotos', { where: places.map(readablePath).join(', ') });
  const { leftAlone, notSearched } = found;
  const parts = [
    ...(leftAlone.length > 0 ? [leftAloneText(leftAlone, t)] : []),
    ...(notSearched.length > 0
      ? [t('cli.summary.notSearched', { count: notSearched.length })]
      : []),
  ];
  return new WrongUse([nothing, ...parts].join(t('cli.use.between')));
}

function refuseContradictions({ size, model, variants }: ColorizeOptions, { t }: Shell): void {
  if (variants > 1) return;
  for (const [option, values] of Object.entries({ '--size': size, '--model': model })) {
    if ((values?.length ?? 1) > 1) throw new WrongUse(t('cli.needsVariants', { option }));
  }
}
