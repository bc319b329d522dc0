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
import { type CatalogEntry, readCatalog } from './catalog.js';
import { hashFile } from './disk.js';
import { discardPart } from './download.js';
import { installFromFile, installFromNet } from './install.js';
import { withLock } from './lock.js';
import { findModel, modelPaths, recordedIds } from './records.js';
import { checkModelFile } from './sniff.js';
import { nearestId } from './suggest.js';
import type {
  ModelStatus,
  ModelStore,
  ModelStoreConfig,
  ModelStoreDeps,
  PullOptions,
  PullResult,
} from './types.js';

/** @see ModelStore */
export function createModelStore(deps: ModelStoreDeps, config: ModelStoreConfig): ModelStore {
  const { modelsDir, bundledDir } = config;
  const catalog = readCatalog(config.catalogFile);

  function status(id: string, entry?: CatalogEntry): ModelStatus {
    if (entry?.bundled) return bundled(entry, path.join(bundledDir, entry.file));
    const found = findModel(modelsDir, id);
    const record = found?.whole ? found.record : undefined;
    return {
      id,
      title: entry?.title ?? id,
      installed: record !== undefined,
      damaged: found?.whole === false,
      bundled: false,
      file: modelPaths(modelsDir, id).file,
      bytes: found?.bytes ?? entry?.bytes,
      licence: entry?.licence,
      entry,
      record,
    };
  }

  function list(): ModelStatus[] {
    const listed = new Set(catalog.map((entry) => entry.id));
    const imported = recordedIds(modelsDir).filter((id) => !listed.has(id));
    return [
      ...catalog.map((entry) => status(entry.id, entry)),
      ...imported.map((id) => status(id)),
    ];
  }

  function info(id: string): ModelStatus {
    const entry = catalog.find((candidate) => candidate.id === id);
    if (entry) return status(id, entry);
    const found = /^[a-z0-9][a-z0-9.-]*$/.test(id) ? status(id) : undefined;
    if (found?.installed || found?.damaged) return found;
    throw unknown(id);
  }

  function unknown(id: string): ModelMissing {
    const near = nearestId(
      id,
      list().map((model) => model.id),
    );
    return near
      ? new ModelMissing(id, `did you mean ${near}?`, 'model.missingNear', { near })
      : new ModelMissing(id, 'see huancai models list', 'model.missingUnknown');
  }

  async function locked<T>(id: string, options: PullOptions, work: () => Promise<T>): Promise<T> {
    const { lock } = modelPaths(modelsDir, id);
    const onWait = () => options.onProgress?.({ step: 'waiting' });
    makeFolder(modelsDir);
    return withLock(lock, { clock: deps.clock, signal: options.signal, onWait }, work);
  }

  async function pull(named: string, options: PullOptions = {}): Promise<PullResult> {
    const id = config.aliases?.[named]?.[0] ?? named;
    const { entry } = info(id);
    const here = status(id, entry);
    if (!entry || here.bundled || (here.installed && !options.force))
      return { ...here, outcome: 'exists' };
    return locked(id, options, async () => {
      const meanwhile = status(id, entry);
      if (meanwhile.installed && !options.force) return { ...meanwhile, outcome: 'exists' };
      await installFromNet(deps, config, entry, options);
      return { ...status(id, entry), outcome: 'installed' };
    });
  }

  async function verify(id: string, signal?: AbortSignal) {
    const model = info(id);
    const expected = model.bundled ? model.entry?.sha256 : model.record?.sha256;
    if (!existsSync(model.file)) throw notInstalled(model);
    if (model.damaged) throw damaged(model);
    checkModelFile(model.file, id);
    const sha256 = await hashFile(model.file, signal);
    if (sha256 !== expected)
      throw new ModelDamaged(id, `sha256 ${expected ?? 'of its record'}`, `sha256 ${sha256}`);
    return { ...model, sha256 };
  }

  async function importFile(
    file: string,
    options: PullOptions & { readonly id?: string } = {},
  ): Promise<PullResult> {
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
    return locked(target, options, async () => {
      await installFromFile(deps, config, target, file, sha256, options);
      return { ...status(target, known), outcome: 'installed' };
    });
  }

  async function remove(id: string): Promise<boolean> {
    const model = info(id);
    if (model.bundled) throw new ModelBundled(id);
    if (!existsSync(modelsDir)) return false;
    return locked(id, {}, async () => {
      const paths = modelPaths(modelsDir, id);
      await rm(paths.record, { force: true });
      await rm(paths.file, { force: true });
      await rm(paths.partial, { force: true });
      await discardPart(paths.part);
      return model.installed || model.damaged;
    });
  }

  async function resolve(named: string) {
    const choices = config.aliases?.[named];
    const idOrPath = choices?.find((id) => info(id).installed) ?? choices?.[0] ?? named;
    const entry = catalog.find((candidate) => candidate.id === idOrPath);
    if (!entry && looksLikePath(idOrPath)) return byPath(idOrPath);
    const model = info(idOrPath);
    if (model.damaged) throw damaged(model);
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

  function damaged({ id, bytes }: ModelStatus): ModelDamaged {
    const wanted = findModel(modelsDir, id)?.record.bytes;
    return new ModelDamaged(id, `${wanted} bytes`, `${bytes} bytes`);
  }

  return { list, info, pull, verify, import: importFile, remove, resolve };
}

function bundled(entry: CatalogEntry, file: string): ModelStatus {
  const { id, title, licence } = entry;
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  const installed = bytes !== undefined;
  const facts = { installed, damaged: isCut(bytes, entry), bundled: true };
  return { id, title, ...facts, file, bytes, licence, entry };
}

const isCut = (bytes: number | undefined, { bytes: whole }: CatalogEntry) =>
  bytes !== undefined && whole !== undefined && bytes !== whole;

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
