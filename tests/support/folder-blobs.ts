import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { BlobMissing } from '../../src/studio/errors/index.js';
import type { BlobKind, Blobs } from '../../src/studio/ports/blobs.js';

/** The plainest store of blobs: one file per key. */
export function createFolderBlobs(root: string): Blobs {
  const file = (key: string) => path.join(root, key);
  const putBytes = async (kind: BlobKind, bytes: Uint8Array) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = `${kind}/${sha256}`;
    mkdirSync(path.dirname(file(key)), { recursive: true });
    writeFileSync(file(key), bytes);
    return { key, sha256, bytes: bytes.length };
  };
  return {
    putBytes,
    putFile: async (kind, from) => {
      const ref = await putBytes(kind, readFileSync(from));
      rmSync(from);
      return ref;
    },
    localFile: async (key) => {
      if (!existsSync(file(key))) throw new BlobMissing(key);
      return file(key);
    },
    has: async (key) => existsSync(file(key)),
    delete: async (key) => rmSync(file(key), { force: true }),
    list: async function* () {
      if (!existsSync(root)) return;
      for (const kind of readdirSync(root)) {
        for (const name of readdirSync(path.join(root, kind))) {
          const { size, mtimeMs } = statSync(path.join(root, kind, name));
          yield { key: `${kind}/${name}`, bytes: size, modifiedMs: mtimeMs };
        }
      }
    },
    freeBytes: async () => 1e12,
  };
}
