import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import {
  ModelBundled,
  ModelDamaged,
  ModelIdInvalid,
  ModelMissing,
} from '../../studio/errors/index.js';
import { makeFolder } from '../codec/make-folder.js';
import { hashFile } from './disk.js';
import { discardPart } from './download.js';
import { installFromFile, installFromNet } from './install.js';
import { withLock } from './lock.js';
import { modelPaths } from './records.js';
import { createShelf, damagedModel, type Shelf } from './shelf.js';
import { checkModelFile } from './sniff.js';
import type {
  ModelStatus,
  ModelStore,
  ModelStoreConfig,
  ModelStoreDeps,
  PullOptions,
  PullResult,
  ResolvedModel,
} from './types.js';

/** What every change of the store needs. */
interface Parts {
  readonly deps: ModelStoreDeps;
  readonly config: ModelStoreConfig;
  readonly shelf: Shelf;
}

/** @see ModelStore */
export function createModelStore(deps: ModelStoreDeps, config: ModelStoreConfig): ModelStore {
  const shelf = createShelf(config);
  const parts: Parts = { deps, config, shelf };
  return {
    list: shelf.list,
    info: shelf.info,
    pull: (id, options = {}) => pull(parts, id, options),
    verify: (id, signal) => verify(parts, id, signal),
    import: (file, options = {}) => importFile(parts, file, options),
    remove: (id) => remove(parts, id),
    resolve: (idOrPath) => resolve(parts, idOrPath),
  };
}

async function pull(parts: Parts, named: string, options: PullOptions): Promise<PullResult> {
  const { deps, config, shelf } = parts;
  const id = config.aliases?.[named]?.[0] ?? named;
  const { entry } = shelf.info(id);
  const here = shelf.status(id, entry);
  if (!entry || here.bundled || (here.installed && !options.force))
    return { ...here, outcome: 'exists' };
  return locked(parts, id, options, async () => {
    const meanwhile = shelf.status(id, entry);
    if (meanwhile.installed && !options.force) return { ...meanwhile, outcome: 'exists' };
    await installFromNet(deps, config, entry, options);
    return { ...shelf.status(id, entry), outcome: 'installed' };
  });
}

async function verify({ config, shelf }: Parts, id: string, signal?: AbortSignal) {
  const model = shelf.info(id);
  const expected = model.bundled ? model.entry?.sha256 : model.record?.sha256;
  if (!existsSync(model.file)) throw notInstalled(model);
  if (model.damaged) throw damagedModel(config.modelsDir, model);
  checkModelFile(model.file, id);
  const sha256 = await hashFile(model.file, signal);
  if (sha256 !== expected)
    throw new ModelDamaged(id, `sha256 ${expected ?? 'of its record'}`, `sha256 ${sha256}`);
  return { ...model, sha256 };
}

async function importFile(
  parts: Parts,
  file: string,
  options: PullOptions & { readonly id?: string },
): Promise<PullResult> {
  const { deps, config, shelf } = parts;
  const { catalog, status } = shelf;
  const id = options.id ?? idOf(file);
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(id)) throw new ModelIdInvalid(id);
  options.onProgress?.({ step: 'checking' });
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw noFile(id, file);
  const sha256 = await hashFile(file, options.signal);
  const known = catalog.find((entry) => entry.sha256 === sha256 && !entry.bundled);
  const entry = known ?? catalog.find((candidate) => candidate.id === id);
  if (entry && entry !== known) throw new ModelIdInvalid(id);
  const target = known?.id ?? id;
  const { installed, record } = status(target, known);
  if (installed && (record?.sourceSha256 ?? record?.sha256) === sha256 && !options.force)
    return { ...status(target, known), outcome: 'exists' };
  return locked(parts, target, options, async () => {
    await installFromFile(deps, config, target, file, sha256, options);
    return { ...status(target, known), outcome: 'installed' };
  });
}

async function remove(parts: Parts, id: string): Promise<boolean> {
  const { modelsDir } = parts.config;
  const model = parts.shelf.info(id);
  if (model.bundled) throw new ModelBundled(id);
  if (!existsSync(modelsDir)) return false;
  return locked(parts, id, {}, async () => {
    const paths = modelPaths(modelsDir, id);
    await rm(paths.record, { force: true });
    await rm(paths.file, { force: true });
    await rm(paths.partial, { force: true });
    await discardPart(paths.part);
    return model.installed || model.damaged;
  });
}

async function resolve({ config, shelf }: Parts, named: string): Promise<ResolvedModel> {
  const choices = config.aliases?.[named];
  const idOrPath = choices?.find((id) => shelf.info(id).installed) ?? choices?.[0] ?? named;
  const entry = shelf.catalog.find((candidate) => candidate.id === idOrPath);
  if (!entry && looksLikePath(idOrPath)) return byPath(idOrPath);
  const model = shelf.info(idOrPath);
  if (model.damaged) throw damagedModel(config.modelsDir, model);
  if (!model.installed) throw notInstalled(model);
  checkModelFile(model.file, model.id);
  const { sizePx, fit } = model.entry?.input ?? {};
  return { id: model.id, file: model.file, sizePx, fit, entry: model.entry };
}

function byPath(file: string) {
  const id = path.basename(file);
  if (!existsSync(file)) throw noFile(id, file);
  checkModelFile(file, id);
  return { id, file: path.resolve(file) };
}

async function locked<T>(
  { deps, config }: Parts,
  id: string,
  options: PullOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { modelsDir } = config;
  const { lock } = modelPaths(modelsDir, id);
  const onWait = () => options.onProgress?.({ step: 'waiting' });
  makeFolder(modelsDir);
  return withLock(lock, { clock: deps.clock, signal: options.signal, onWait }, work);
}

function notInstalled({ id, bundled: ships }: ModelStatus): ModelMissing {
  return ships
    ? new ModelMissing(id, 'the package is incomplete; install it again', 'model.missingBundled')
    : new ModelMissing(id, `get it with: huancai models pull ${id}`, 'model.missingPull');
}

function noFile(id: string, file: string): ModelMissing {
  return new ModelMissing(id, `there is no file ${file}`, 'model.missingFile', { file });
}

function looksLikePath(text: string): boolean {
  return /[\\/]/.test(text) || /\.(onnx|pth|pt|safetensors)$/i.test(text);
}

/** `My Model v2.onnx` -> `my-model-v2`. */
function idOf(file: string): string {
  const name = path.basename(file, path.extname(file)).toLowerCase();
  return name.replace(/[^a-z0-9.]+/g, '-').replace(/^[-.]+|-+$/g, '') || 'model';
}
