import { statSync } from 'node:fs';
import path from 'node:path';
import { ModelDamaged, ModelMissing } from '../../studio/errors/index.js';
import { type CatalogEntry, readCatalog } from './catalog.js';
import { findModel, modelPaths, recordedIds } from './records.js';
import { nearestId } from './suggest.js';
import type { ModelStatus, ModelStoreConfig } from './types.js';

/** What is listed and what lies here; looks at the disk at every question, changes nothing. */
export interface Shelf {
  readonly catalog: readonly CatalogEntry[];
  /** Catalog order, then imported ones. */
  list(): ModelStatus[];
  /** @throws {ModelMissing} no such id; names the nearest one. */
  info(id: string): ModelStatus;
  /** How a model is, whether it is listed or not. */
  status(id: string, entry?: CatalogEntry): ModelStatus;
}

/** The shelf of one installation. */
export function createShelf({ catalogFile, modelsDir, bundledDir }: ModelStoreConfig): Shelf {
  const catalog = readCatalog(catalogFile);

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
    throw unknown(id, list());
  }

  return { catalog, list, info, status };
}

function unknown(id: string, models: readonly ModelStatus[]): ModelMissing {
  const near = nearestId(
    id,
    models.map((model) => model.id),
  );
  return near
    ? new ModelMissing(id, `did you mean ${near}?`, 'model.missingNear', { near })
    : new ModelMissing(id, 'see huancai models list', 'model.missingUnknown');
}

/** Its file is shorter or longer than its record says. */
export function damagedModel(modelsDir: string, { id, bytes }: ModelStatus): ModelDamaged {
  const wanted = findModel(modelsDir, id)?.record.bytes;
  return new ModelDamaged(id, `${wanted} bytes`, `${bytes} bytes`);
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
