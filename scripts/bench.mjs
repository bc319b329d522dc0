// Run a benchmark: `node scripts/bench.mjs engine [options]` compiles bench/*.ts beside the built
// product (dist/bench) and starts bench/engine.ts. Benchmarks import from ../src, compiled from
// dist, and what they share with the tests from ../tests/support.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

function sourcesIn(folder) {
  const files = readdirSync(path.join(root, folder)).filter((file) => file.endsWith('.ts'));
  return files.map((file) => file.slice(0, -3));
}

/** @param moved what '../src/' and the like become beside the compiled product. */
function compile(folder, target, moved) {
  mkdirSync(path.join(root, target), { recursive: true });
  for (const name of sourcesIn(folder)) {
    const { code } = transformSync(readFileSync(path.join(root, folder, `${name}.ts`), 'utf8'), {
      filename: `${name}.ts`,
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs', ignoreDynamic: true },
      sourceMaps: 'inline',
    });
    const text = moved.reduce((all, [from, to]) => all.replaceAll(from, to), code);
    writeFileSync(path.join(root, target, `${name}.js`), text);
  }
}

const [name, ...options] = process.argv.slice(2);
const names = sourcesIn('bench');
if (!name || !names.includes(name)) {
  console.error(`usage: node scripts/bench.mjs <${names.join('|')}> [options]`);
  process.exit(2);
}
compile('bench', 'dist/bench', [
  ['../src/', '../'],
  ['../tests/support/', '../bench-support/'],
]);
compile('tests/support', 'dist/bench-support', [['../../src/', '../']]);

const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--expose-gc', path.join(root, 'dist/bench', `${name}.js`), ...options],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
