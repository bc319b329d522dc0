/**
 * Content store for photos, planes and renditions. Keys are `<kind>/<sha256>` for content-addressed
 * data; a key is written once and never changed.
 * Contract: put of an existing key is a success; readers see a blob whole or not at all.
 */
export interface Blobs {
  /** Moves or uploads a finished local file. @returns key. @throws {DiskUnavailable} */
  putFile(kind: BlobKind, file: string): Promise<BlobRef>;
  putBytes(kind: BlobKind, bytes: Uint8Array): Promise<BlobRef>;
  /** A local path holding the blob (downloaded first when remote). @throws {BlobMissing} */
  localFile(key: string): Promise<string>;
  has(key: string): Promise<boolean>;
  /** Deleting what is not there is a success. */
  delete(key: string): Promise<void>;
  /** All keys with their age, for the sweeper that removes orphans. */
  list(): AsyncIterable<{ key: string; bytes: number; modifiedMs: number }>;
  /** Free space where blobs go, bytes; undefined when the store does not tell. */
  freeBytes(): Promise<number | undefined>;
}

/** What is kept; `picture`: a rendition that its customer may see. */
export const blobKinds = {
  original: 'picture',
  chroma: 'plane',
  preview: 'picture',
  comparison: 'picture',
  sheet: 'picture',
  master: 'picture',
  screen: 'picture',
  zip: 'archive',
} as const;

/** A kind of blob, the first part of its key. */
export type BlobKind = keyof typeof blobKinds;
/** A kind that its customer may see. */
export type RenditionKind = {
  [K in BlobKind]: (typeof blobKinds)[K] extends 'picture' ? K : never;
}[BlobKind];

export interface BlobRef {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}
