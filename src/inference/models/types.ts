import type { Clock } from '../../studio/ports/basics.js';
import type { ModelFit } from '../../studio/ports/colorizer.js';
import type { CatalogEntry } from './catalog.js';
import type { Fetch } from './http.js';
import type { ModelRecord } from './records.js';

/** A model that can be listed: of the catalog, imported, or both. */
export interface ModelStatus {
  readonly id: string;
  readonly title: string;
  readonly installed: boolean;
  /** Its file is there, but not as long as it was: it neither runs nor counts as installed. */
  readonly damaged: boolean;
  readonly bundled: boolean;
  /** Where it is, or would be. */
  readonly file: string;
  /** Installed length, else what the catalog says of the download. */
  readonly bytes?: number;
  readonly licence?: string;
  readonly entry?: CatalogEntry;
  readonly record?: ModelRecord;
}

/** A model that is here and may run. */
export interface ResolvedModel {
  readonly id: string;
  readonly file: string;
  /** Input size it is made for, px. */
  readonly sizePx?: number;
  readonly fit?: ModelFit;
  readonly entry?: CatalogEntry;
}

/** How far a model has come. */
export interface PullProgress {
  readonly step: 'waiting' | 'downloading' | 'converting' | 'checking';
  readonly doneBytes?: number;
  readonly totalBytes?: number;
  /** Share of a conversion, 0..1. */
  readonly share?: number;
}

/** How a model is pulled. */
export interface PullOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  /** Download again even if it is here. */
  readonly force?: boolean;
}

/** A pulled model. */
export interface PullResult extends ModelStatus {
  /** `exists`: it was here already, or another process brought it meanwhile. */
  readonly outcome: 'installed' | 'exists';
}

/** Turns a PyTorch or safetensors checkpoint into an ONNX file. Writes `output` whole or not. */
export type ConvertCheckpoint = (
  input: string,
  output: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (share: number) => void },
) => Promise<void>;

/** Models on this machine and those that can be had. */
export interface ModelStore {
  /** Catalog order, then imported ones. */
  list(): ModelStatus[];
  /** @throws {ModelMissing} no such id. */
  info(id: string): ModelStatus;
  /**
   * Download, check, convert if need be, install. Safe from several processes at once.
   * @throws {ModelMissing | ModelDownloadFailed | ModelUnfit | DiskUnavailable | Cancelled}
   */
  pull(id: string, options?: PullOptions): Promise<PullResult>;
  /** Read the whole file and compare. @throws {ModelMissing | ModelDamaged | ModelUnfit} */
  verify(id: string, signal?: AbortSignal): Promise<ModelStatus & { readonly sha256: string }>;
  /**
   * Install a file the operator has: ONNX, or a checkpoint to convert. A file that is a catalog
   * entry's, by its hash, gets that id.
   * @throws {ModelMissing | ModelUnfit | ModelIdInvalid | DiskUnavailable | Cancelled}
   */
  import(file: string, options?: PullOptions & { readonly id?: string }): Promise<PullResult>;
  /** @returns false when it was not installed. @throws {ModelMissing | ModelBundled} */
  remove(id: string): Promise<boolean>;
  /** By id, or path of an .onnx file. @throws {ModelMissing | ModelUnfit} */
  resolve(idOrPath: string): Promise<ResolvedModel>;
}

/** What a model store works with. */
export interface ModelStoreDeps {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Absent: models in PyTorch format cannot be pulled or imported. */
  readonly convert?: ConvertCheckpoint;
}

/** Where models lie and come from. */
export interface ModelStoreConfig {
  /** Folder of catalog.json's bundled files. */
  readonly bundledDir: string;
  /** Where pulled models lie; made when needed. */
  readonly modelsDir: string;
  readonly catalogFile: string;
  /** Base addresses tried before the catalog's own: `<mirror>/<id>.onnx` or `<mirror>/<file>`. */
  readonly mirrors?: readonly string[];
  /** Names that stand for several ids, best first: the first installed one is meant. */
  readonly aliases?: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** Plain http for mirrors in the own network. Default false. */
  readonly allowHttp?: boolean;
  /** Left free on the disk for the rest of the machine. Default 64 MB. */
  readonly spareBytes?: number;
  /** Default 30,000. */
  readonly stallTimeoutMs?: number;
  /** Default 500. */
  readonly retryDelayMs?: number;
}
