import { type BlobKind, blobKinds } from '../studio/ports/blobs.js';

const pattern = new RegExp(`^(${Object.keys(blobKinds).join('|')})/([0-9a-f]{64})$`);

/** `<kind>/<sha256>`. */
export function keyOf(kind: BlobKind, sha256: string): string {
  return `${kind}/${sha256}`;
}

/** @returns undefined for whatever is not one of our keys: nothing else becomes a path. */
export function parseKey(key: string): { kind: BlobKind; sha256: string } | undefined {
  const match = pattern.exec(key);
  return match ? { kind: match[1] as BlobKind, sha256: match[2]! } : undefined;
}
