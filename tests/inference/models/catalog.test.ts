import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readCatalog } from '../../../src/inference/models/index.js';

const models = path.resolve(__dirname, '../../../models');
const catalog = readCatalog(path.join(models, 'catalog.json'));

test('bundled models are what the catalog says (refresh: node scripts/catalog-hash.mjs)', () => {
  const bundled = catalog.filter((entry) => entry.bundled);
  expect(bundled.map((entry) => entry.id)).toEqual(['starter']);
  for (const entry of bundled) {
    const bytes = readFileSync(path.join(models, entry.file));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect({ bytes: bytes.length, sha256 }).toEqual({ bytes: entry.bytes, sha256: entry.sha256 });
  }
});

test('the official checkpoints can be had by name, with a known hash', () => {
  for (const id of ['ddcolor-tiny', 'ddcolor-modelscope', 'ddcolor-artistic', 'ddcolor-paper']) {
    const entry = catalog.find((candidate) => candidate.id === id)!;
    expect(entry.format).toBe('pytorch');
    expect(entry.licence).toBe('Apache-2.0');
    expect(entry.sha256 ?? entry.sha256Prefix).toBeTruthy();
    expect(entry.sources.length).toBeGreaterThan(1);
  }
});

test('every source is on https', () => {
  for (const { sources } of catalog)
    for (const source of sources) expect(source).toMatch(/^https:\/\/[^?]+$/);
});
