import type { BlobKind } from './blobs.js';

/** A place in the order in which files expire. */
export interface ExpiryCursor {
  readonly ms: number;
  readonly id: string;
}

/** `next` is absent after the last page. */
export interface ExpiredPage {
  readonly photoIds: readonly string[];
  readonly next?: ExpiryCursor;
}

/** What is kept for a time only: the setting `retention` says how long. */
export const expiringKinds = [
  'original',
  'chroma',
  'preview',
  'master',
] as const satisfies readonly BlobKind[];
/** A kind of blob that expires. */
export type ExpiringKind = (typeof expiringKinds)[number];
