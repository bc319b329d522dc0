// Run a benchmark: `node scripts/bench.mjs engine [options]` compiles bench/*.ts beside the built
// product (dist/bench) and starts bench/engine.ts. Benchmarks import from ../src; compiled, from dist.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'bench');
const target = path.join(root, 'dist/bench');
const names = readdirSync(source)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));

const [name, ...options] = process.argv.slice(2);
if (!name || !names.includes(name)) {
  console.error(`usage: node scripts/bench.mjs <${names.join('|')}> [options]`);
  process.exit(2);
}

mkdirSync(target, { recursive: true });
for (const file of names) {
  const { code } = transformSync(readFileSync(path.join(source, `${file}.ts`), 'utf8'), {
    filename: `${file}.ts`,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs', ignoreDynamic: true },
    sourceMaps: 'inline',
  });
  writeFileSync(path.join(target, `${file}.js`), code.replaceAll('../src/', '../'));
}

const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--expose-gc', path.join(target, `${name}.js`), ...options],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
