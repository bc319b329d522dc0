import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { ModelStatus, PullResult } from '../../inference/models/index.js';
import { sniffModelFile } from '../../inference/models/sniff.js';
import { ModelBundled, ModelUnfit } from '../../studio/errors/index.js';
import { openEngine } from '../engine.js';
import { describeError, errorRecord, exitCodeOf } from '../errors.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import type { Shell } from '../shell.js';
import { modelsDirOf, openModelStore, openS3Models } from './open-store.js';
import { createPullProgress, megabytes } from './progress.js';

export interface PullCommandOptions extends GlobalOptions {
  readonly force?: boolean;
}

export interface ImportOptions extends PullCommandOptions {
  readonly id?: string;
}

export function listModels(options: GlobalOptions & { readonly installed?: boolean }): ExitCode {
  const shell = openShell(options);
  const found = openModelStore(shell)
    .list()
    .filter((model) => model.installed || model.damaged || !options.installed);
  shell.output.line(shell.t('models.listHead', { dir: modelsDirOf(shell) }));
  const statuses = found.map((model) => statusOf(model, shell));
  const idWidth = Math.max(...found.map((model) => model.id.length));
  const statusWidth = Math.max(...statuses.map(columnsOf));
  for (const [i, model] of found.entries()) {
    shell.output.record({ type: 'model', ...recordOf(model) });
    const mark = model.installed ? '*' : ' ';
    const status = statuses[i]! + ' '.repeat(statusWidth - columnsOf(statuses[i]!));
    shell.output.line(`${mark} ${model.id.padEnd(idWidth)}  ${status}  ${model.title}`);
  }
  return exitCodes.done;
}

export function modelInfo(id: string, options: GlobalOptions): ExitCode {
  const shell = openShell(options);
  const model = openModelStore(shell).info(id);
  shell.output.record({ type: 'model', ...recordOf(model) });
  const { entry, record } = model;
  const rows: [string, string | undefined][] = [
    ['title', model.title],
    ['status', statusOf(model, shell)],
    ['file', model.installed || model.damaged ? model.file : undefined],
    ['size', model.bytes ? megabytes(model.bytes) : undefined],
    ['licence', model.licence],
    ['homepage', entry?.homepage],
    ['input', entry && inputOf(entry.input, shell)],
    ['sha256', record?.sha256 ?? entry?.sha256],
    ['source', record?.source ?? entry?.sources.join('\n')],
    ['installedAt', record?.installedAt],
  ];
  for (const [name, value] of rows) {
    if (!value) continue;
    const [first, ...more] = value.split('\n');
    shell.output.line(`${shell.t(`models.field.${name}`)}: ${first}`);
    for (const line of more) shell.output.line(`  ${line}`);
  }
  return exitCodes.done;
}

export function verifyModels(ids: readonly string[], options: GlobalOptions): Promise<ExitCode> {
  return withStore(options, async (shell, store, signal) => {
    const here = store.list().filter((model) => model.installed || model.damaged);
    const wanted = ids.length > 0 ? ids : here.map((model) => model.id);
    return forEach(wanted, shell, async (id) => {
      const model = await store.verify(id, signal);
      const { sha256 } = model;
      shell.output.record({ type: 'model', outcome: 'ok', ...recordOf(model), sha256 });
      shell.output.line(shell.t('models.verified', { model: id, sha256 }));
    });
  });
}

export function pullModels(ids: readonly string[], options: PullCommandOptions): Promise<ExitCode> {
  return withStore(options, (shell, store, signal) =>
    forEach(ids, shell, async (id) => {
      const progress = createPullProgress(shell, id);
      try {
        const { force } = options;
        report(await store.pull(id, { signal, force, onProgress: progress.show }), shell, progress);
      } finally {
        progress.end();
      }
    }),
  );
}

export function importModel(file: string, options: ImportOptions): Promise<ExitCode> {
  return withStore(options, (shell, store, signal) =>
    forEach([file], shell, async () => {
      const progress = createPullProgress(shell, path.basename(file));
      try {
        const { id, force } = options;
        const from = path.resolve(shell.cwd, file);
        await refuseUnfit(from, shell, signal);
        const result = await store.import(from, { id, force, signal, onProgress: progress.show });
        report(result, shell, progress);
      } finally {
        progress.end();
      }
    }),
  );
}

/**
 * Another network is refused before it is installed. Checkpoints are checked while they are
 * converted; a network that fits but does not run here may run elsewhere. One that computes wrong numbers
 * here is refused.
 */
async function refuseUnfit(file: string, shell: Shell, signal: AbortSignal): Promise<void> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  if (sniffModelFile(file) !== 'onnx') return;
  const engine = openEngine(shell);
  try {
    await engine.describe(file);
  } catch (error) {
    if (error instanceof ModelUnfit) throw error;
    return;
  } finally {
    await engine.close();
  }
  const { checkInt8 } = await import('../../inference/convert/index.js');
  await checkInt8(file, path.basename(file), signal);
}

export function publishModels(ids: readonly string[], options: GlobalOptions): Promise<ExitCode> {
  return withStore(options, async (shell, store, signal) => {
    const bucket = await openS3Models(shell);
    return forEach(ids, shell, async (id) => {
      const model = await store.verify(id, signal);
      if (!model.record) throw new ModelBundled(id);
      await bucket.publish(`${id}.onnx`, model.file);
      // Last: with it others know what they should have got.
      const record = `${JSON.stringify(model.record, null, 2)}\n`;
      await bucket.publishText(`${id}.json`, record, `${model.file}.publish`);
      await rm(`${model.file}.publish`, { force: true });
      const { place } = bucket;
      shell.output.record({ type: 'model', id, outcome: 'published', place });
      shell.output.line(shell.t('models.published', { model: id, place }));
    });
  });
}

export function removeModels(ids: readonly string[], options: GlobalOptions): Promise<ExitCode> {
  return withStore(options, (shell, store) =>
    forEach(ids, shell, async (id) => {
      const { bytes } = store.info(id);
      const removed = await store.remove(id);
      shell.output.record({ type: 'model', id, outcome: removed ? 'removed' : 'notInstalled' });
      const key = removed ? 'models.removed' : 'models.notInstalled';
      shell.output.line(shell.t(key, { model: id, size: megabytes(bytes ?? 0) }));
    }),
  );
}

type Store = ReturnType<typeof openModelStore>;

async function withStore(
  options: GlobalOptions,
  work: (shell: Shell, store: Store, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const shell = openShell(options);
  const interrupt = listenForInterrupt(() => shell.output.notice(shell.t('cli.interrupted')));
  try {
    return await work(shell, openModelStore(shell), interrupt.signal);
  } finally {
    interrupt.close();
  }
}

/** One that fails does not keep the others from being done; the worst exit code counts. */
async function forEach(
  ids: readonly string[],
  shell: Shell,
  work: (id: string) => Promise<void>,
): Promise<ExitCode> {
  let worst: ExitCode = exitCodes.done;
  for (const id of ids) {
    try {
      await work(id);
    } catch (error) {
      const code = exitCodeOf(error);
      if (code > worst) worst = code;
      if (code === exitCodes.interrupted) throw error;
      shell.output.record({ type: 'error', id, error: errorRecord(error, shell.t) });
      shell.output.notice(describeError(error, shell.t));
    }
  }
  return worst;
}

function report(result: PullResult, shell: Shell, progress: { end(): void }): void {
  progress.end();
  shell.output.record({ type: 'model', outcome: result.outcome, ...recordOf(result) });
  const params = { model: result.id, file: result.file };
  shell.output.line(
    shell.t(result.outcome === 'exists' ? 'models.exists' : 'models.pulled', params),
  );
  if (result.outcome === 'installed') shell.output.line(shell.t('models.use', params));
}

/** Chinese characters are two columns wide on a terminal. */
function columnsOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + (letter > '\u2e7f' ? 2 : 1), 0);
}

function statusOf(model: ModelStatus, { t }: Shell): string {
  if (model.damaged) return t('models.damaged');
  if (model.bundled) return t('models.bundled');
  if (model.installed) return t('models.installed');
  const size = model.bytes ? megabytes(model.bytes) : t('models.sizeUnknown');
  return t('models.available', { size });
}

function inputOf(input: NonNullable<ModelStatus['entry']>['input'], { t }: Shell): string {
  const { dtype, sizePx, dynamic } = input;
  const key = dynamic === undefined ? 'unknownSize' : dynamic ? 'anySize' : 'fixedSize';
  return t(`models.${key}`, { dtype, sizePx });
}

function recordOf({ entry, record, ...model }: ModelStatus): Record<string, unknown> {
  const { sha256, source, installedAt } = record ?? { sha256: entry?.sha256 };
  return { ...model, input: entry?.input, sha256, source, installedAt };
}
