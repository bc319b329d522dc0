export type { CatalogEntry } from './catalog.js';
export { readCatalog } from './catalog.js';
export type { Fetch } from './http.js';
export type { ModelRecord } from './records.js';
export { checkModelFile, type ModelFileKind, sniffModelFile } from './sniff.js';
export { createModelStore } from './store.js';
export type {
  ConvertCheckpoint,
  ModelStatus,
  ModelStore,
  ModelStoreConfig,
  ModelStoreDeps,
  PullOptions,
  PullProgress,
  PullResult,
  ResolvedModel,
} from './types.js';
