import { constants } from 'node:fs';
import { copyFile, open, rename, rm, stat } from 'node:fs/promises';
import { ModelUnfit } from '../../studio/errors/index.js';
import type { CatalogEntry } from './catalog.js';
import { checkSpace, hashFile, onDisk, writeWhole } from './disk.js';
import { discardPart } from './download.js';
import { fetchVerified } from './fetch-verified.js';
import { type ModelRecord, modelPaths, readSeenHash } from './records.js';
import { CONVERTIBLE, checkModelFile, sniffModelFile } from './sniff.js';
import { planSources } from './sources.js';
import type { ModelStoreConfig, ModelStoreDeps, PullOptions } from './types.js';

/** No model is larger: a protobuf message ends at 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31;

/** Download one catalog entry and put it in place. The caller holds the lock. */
export async function installFromNet(
  deps: ModelStoreDeps,
  config: ModelStoreConfig,
  entry: CatalogEntry,
  options: PullOptions,
): Promise<void> {
  const { modelsDir } = config;
  const paths = modelPaths(modelsDir, entry.id);
  if (entry.format === 'pytorch' && !deps.convert) throw notConvertible(entry.id);
  const rules = {
    allowHttp: config.allowHttp ?? false,
    stallTimeoutMs: config.stallTimeoutMs ?? 30_000,
    signal: options.signal,
  };
  const seen = readSeenHash(modelsDir, entry.id);
  const sources = await planSources(deps.fetch, entry, config.mirrors ?? [], seen, rules);
  // A converted model needs room for both files.
  const share = entry.format === 'pytorch' ? 2 : 1;
  const { source, sha256 } = await fetchVerified(deps.fetch, entry.id, sources, paths.part, {
    ...rules,
    maxBytes: MAX_MODEL_BYTES,
    retryDelayMs: config.retryDelayMs ?? 500,
    checkSpace: (bytes) => checkSpace(modelsDir, bytes * share, config.spareBytes),
    onProgress: (doneBytes, totalBytes) =>
      options.onProgress?.({ step: 'downloading', doneBytes, totalBytes }),
  });
  const planned = sources.find((candidate) => candidate === source);
  const upstream = planned?.format === entry.format;
  try {
    await place(deps, config, entry.id, paths.part, source.url, sha256, options);
  } catch (error) {
    // What cannot be used must not be taken for half a download.
    if (error instanceof ModelUnfit) await discardPart(paths.part);
    throw error;
  }
  if (upstream) await writeWhole(paths.seen, `${sha256}  ${entry.file}\n`);
  await discardPart(paths.part);
}

/** Copy or convert the operator's own file and put it in place. The caller holds the lock. */
export async function installFromFile(
  deps: ModelStoreDeps,
  config: ModelStoreConfig,
  id: string,
  file: string,
  sha256: string,
  options: PullOptions,
): Promise<void> {
  const { partial } = modelPaths(config.modelsDir, id);
  const { size } = await stat(file);
  await checkSpace(config.modelsDir, size, config.spareBytes);
  if (CONVERTIBLE.has(sniffModelFile(file, id))) {
    if (!deps.convert) throw notConvertible(id);
    await place(deps, config, id, file, 'import', sha256, options);
    return;
  }
  checkModelFile(file, id);
  const copy = `${partial}.import`;
  await onDisk(copy, () => copyFile(file, copy, constants.COPYFILE_FICLONE));
  try {
    await place(deps, config, id, copy, 'import', sha256, options);
  } finally {
    await rm(copy, { force: true });
  }
}

/** Make `ready` the model `id`: convert a checkpoint, check, write the record, rename. */
async function place(
  deps: ModelStoreDeps,
  { modelsDir }: ModelStoreConfig,
  id: string,
  ready: string,
  source: string,
  sourceSha256: string,
  options: PullOptions,
): Promise<void> {
  const paths = modelPaths(modelsDir, id);
  let file = ready;
  let sha256 = sourceSha256;
  const convertible = CONVERTIBLE.has(sniffModelFile(ready, id));
  if (convertible && deps.convert) {
    file = paths.partial;
    await deps.convert(ready, file, {
      signal: options.signal,
      onProgress: (share) => options.onProgress?.({ step: 'converting', share }),
    });
    options.onProgress?.({ step: 'checking' });
    sha256 = await hashFile(file, options.signal);
  }
  checkModelFile(file, id);
  const { size } = await stat(file);
  const record: ModelRecord = {
    id,
    sha256,
    bytes: size,
    source: withoutQuery(source),
    ...(convertible ? { sourceSha256 } : {}),
    installedAt: new Date(deps.clock.now()).toISOString(),
  };
  await onDisk(paths.file, async () => {
    await syncFile(file);
    // Without its record the file counts as not installed: record last.
    await rm(paths.record, { force: true });
    await rename(file, paths.file);
  });
  await writeWhole(paths.record, `${JSON.stringify(record, null, 2)}\n`);
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function withoutQuery(source: string): string {
  if (source === 'import') return source;
  const { origin, pathname } = new URL(source);
  // Our own places (s3://, studio://) have no origin and nothing to hide.
  return origin === 'null' ? source : origin + pathname;
}

function notConvertible(id: string): ModelUnfit {
  return new ModelUnfit(
    id,
    'an ONNX file',
    'a PyTorch checkpoint, and this installation has no converter',
    undefined,
    'model.unfitNoConverter',
  );
}
