import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { packageRoot } from '../../src/cli/package-root.js';
import { methodNames } from '../../src/studio/ports/gateway.js';
import { createSepiaColorizer } from './sepia-colorizer.js';
import { startWebStack } from './web-stack.js';

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const target = path.join(packageRoot, 'src', 'web', 'api-types.ts');
const banner =
  '// Written by `npm run api:types` from the OpenAPI document; change api-shapes.ts instead.';

/** Ways to pay stay those of the table: another one must not change what is written. */
const imports = "import type { PaymentMethod } from '../studio/ports/gateway.js';";

/** The document as a running server tells it. */
async function askServer(): Promise<Document> {
  const stack = await startWebStack({ colorizer: createSepiaColorizer() });
  try {
    return (await (await fetch(`${stack.url}/api/docs/json`)).json()) as Document;
  } finally {
    await stack.close();
  }
}

/** One interface for each shape of the document, in its order. */
async function typesOf({ components }: Document): Promise<string> {
  const methods = JSON.stringify({ type: 'string', enum: methodNames });
  const flat = JSON.stringify(components.schemas).replaceAll(methods, '{"tsType":"PaymentMethod"}');
  const definitions: Record<string, JSONSchema> = JSON.parse(
    flat.replaceAll('#/components/schemas/', '#/definitions/'),
  );
  const parts = Object.entries(definitions).map(([name, shape]) =>
    compile({ ...shape, title: name, definitions: { ...definitions } }, name, {
      additionalProperties: false,
      bannerComment: '',
      declareExternallyReferenced: false,
      format: false,
    }),
  );
  const text = [banner, imports, ...(await Promise.all(parts))].join('\n\n');
  return formatted(text.replace(/\/\*\*\s+\* (.*)\s+\*\//g, '/** $1 */'));
}

/** As `npm run format` would leave it. */
function formatted(text: string): string {
  const biome = require.resolve('@biomejs/biome/bin/biome');
  const stdin = ['format', '--stdin-file-path=src/web/api-types.ts'];
  return execFileSync(process.execPath, [biome, ...stdin], { input: text, encoding: 'utf8' });
}

/**
 * `write-api-types.ts [document.json] [--check]`: write src/web/api-types.ts, or with `--check` end
 * with 1 where what stands there is stale. Without a document a server is started and asked.
 */
async function main([first, ...more]: string[]): Promise<void> {
  const check = [first, ...more].includes('--check');
  const file = first === '--check' ? undefined : first;
  const document = file ? (JSON.parse(readFileSync(file, 'utf8')) as Document) : await askServer();
  const types = await typesOf(document);
  if (!check) writeFileSync(target, types);
  else if (readFileSync(target, 'utf8') !== types) {
    console.error('src/web/api-types.ts is stale: run "npm run api:types"');
    process.exitCode = 1;
  }
}

void main(process.argv.slice(2));
