// Refresh size and sha256 of the bundled models in models/catalog.json: run after replacing one.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const catalogFile = path.join(root, 'models/catalog.json');
const catalog = JSON.parse(readFileSync(catalogFile, 'utf8'));
for (const entry of catalog.models.filter((model) => model.bundled)) {
  const bytes = readFileSync(path.join(root, 'models', entry.file));
  entry.bytes = bytes.length;
  entry.sha256 = createHash('sha256').update(bytes).digest('hex');
  console.log(`${entry.id}: ${entry.bytes} bytes, sha256 ${entry.sha256}`);
}
writeFileSync(catalogFile, `${JSON.stringify(catalog, null, 2)}\n`);
