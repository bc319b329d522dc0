import { createHash, randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type CatalogEntry,
  createModelStore,
  type ModelStoreConfig,
  type ModelStoreDeps,
} from '../../../src/inference/models/index.js';
import { colourNet } from '../../support/onnx-builder.js';
import { wallClock } from '../../support/quiet.js';

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Folders and models of one test file. */
export function storeBench() {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-models-'));
  let count = 0;

  /** A valid network of about 400 kB with content of its own. */
  function model(): Buffer {
    count += 1;
    return readFileSync(
      colourNet(path.join(dir, `made-${count}.onnx`), { layers: 6, channels: 96 }),
    );
  }

  function entry(more: Partial<CatalogEntry> & { id: string }) {
    return {
      title: more.id,
      file: `${more.id}.onnx`,
      format: 'onnx',
      licence: 'Apache-2.0',
      homepage: 'https://example.org',
      input: { dtype: 'float32', sizePx: 512 },
      sources: [],
      ...more,
    };
  }

  function store(
    entries: object[],
    config: Partial<ModelStoreConfig> = {},
    deps: Partial<ModelStoreDeps> = {},
  ) {
    count += 1;
    const own = path.join(dir, `store-${count}`);
    mkdirSync(own);
    const catalogFile = path.join(own, 'catalog.json');
    writeFileSync(catalogFile, JSON.stringify({ version: 1, models: entries }));
    const modelsDir = config.modelsDir ?? path.join(own, 'models');
    const made = createModelStore(
      { fetch, clock: wallClock, ...deps },
      {
        bundledDir: own,
        modelsDir,
        catalogFile,
        allowHttp: true,
        stallTimeoutMs: 10_000,
        retryDelayMs: 5,
        ...config,
      },
    );
    return { store: made, modelsDir, catalogFile };
  }

  return {
    dir,
    model,
    entry,
    store,
    write(name: string, content: string | Buffer) {
      const file = path.join(dir, name);
      writeFileSync(file, content);
      return file;
    },
    noise: (bytes: number) => randomFillSync(Buffer.alloc(bytes)),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
