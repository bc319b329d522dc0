import { createHash } from 'node:crypto';
import { access, realpath } from 'node:fs/promises';
import path from 'node:path';
import { openFile } from '../../inference/codec/identify-file.js';
import { makeFolder } from '../../inference/codec/make-folder.js';
import { translateReadError } from '../../inference/codec/translate-error.js';
import { Cancelled, PhotoUnreadable, StudioError } from '../../studio/errors/index.js';
import { AlreadyColoured, OutputExists, OutputIsInput, PhotoNotFound } from '../errors.js';
import type { ColourPhoto } from './batch.js';
import type { Journal } from './journal.js';
import { filesOf, type PhotoTask } from './outputs.js';
import type { Recipe } from './recipe.js';

/** What working through a batch needs. */
export interface WorkDeps {
  readonly recipe: Recipe;
  readonly journalFor: (dir: string) => Journal | undefined;
  /** Whether a file carries our own label. */
  readonly isOurs: (file: string) => Promise<boolean>;
  readonly now: () => number;
}

/** What becomes of results that are there already. */
export interface WorkOptions {
  readonly resume: boolean;
  readonly overwrite: boolean;
}

/** One photo from its checks to the journal's last line, as a step of a batch. */
export function createWork(deps: WorkDeps, options: WorkOptions): ColourPhoto {
  return async (task, context) => {
    const startedAt = deps.now();
    const skipped = { task, status: 'skipped', files: [], seconds: 0, notes: [] } as const;
    await refuseOwnInput(task);
    const key = await contentKey(task, deps.recipe.fingerprint, context.signal);
    const journal = deps.journalFor(task.journalDir);
    const files = filesOf(task);
    if (options.resume && journal?.isDone(key, files)) return skipped;
    if (await deps.isOurs(task.file)) {
      // Found in a folder it is simply a result; named, somebody expects something of it.
      if (task.named) throw new AlreadyColoured(task.file);
      return skipped;
    }
    await refuseExisting(files, (file) => options.overwrite || ownLeftover(file, key));
    makeFolders(files);
    journal?.start(key, files);
    const { notes, prediction, damage } = await retryOnce(() =>
      deps.recipe.colour(task, key, context),
    );
    journal?.done(key, files);
    return {
      task,
      status: 'done',
      files,
      seconds: (deps.now() - startedAt) / 1000,
      notes,
      prediction,
      damage,
    };

    function ownLeftover(file: string, key: string): boolean {
      return options.resume && journal?.isOurs(key, file) === true;
    }
  };
}

/** sha256 of the photo's bytes, the options and the model, hex. Names what was asked for. */
async function contentKey(task: PhotoTask, fingerprint: string, signal: AbortSignal) {
  const hash = createHash('sha256').update(`${fingerprint}\n${task.format}\n`);
  try {
    const { handle } = await openFile(task.file);
    for await (const chunk of handle.createReadStream({ signal })) hash.update(chunk);
  } catch (error) {
    if (signal.aborted) throw new Cancelled();
    const fault = translateReadError(error);
    if (fault instanceof PhotoUnreadable && fault.reason === 'missing')
      throw new PhotoNotFound(task.file);
    throw fault;
  }
  return hash.digest('hex');
}

/** Also through a link, and whatever the options say. */
async function refuseOwnInput(task: PhotoTask): Promise<void> {
  const real = (file: string) => realpath(file).catch(() => path.resolve(file));
  const photo = await real(task.file);
  for (const file of filesOf(task)) {
    if ((await real(file)) === photo) throw new OutputIsInput(file);
  }
}

async function refuseExisting(files: string[], mayReplace: (file: string) => boolean) {
  for (const file of files) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists && !mayReplace(file)) throw new OutputExists(file);
  }
}

function makeFolders(files: string[]): void {
  for (const dir of new Set(files.map((file) => path.dirname(file)))) makeFolder(dir);
}

/** A fault that may pass (the inference process died) gets one more try, not the whole batch's. */
async function retryOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StudioError && error.code === 'INFERENCE_FAILED') return await work();
    throw error;
  }
}
