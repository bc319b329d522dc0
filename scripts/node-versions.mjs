/**
 * Try the Node versions that package.json claims: `npm run test:node [-- 22 24]`. For each one the last
 * commit is cloned into a folder of its own, installed, shown the demo and put through the unit suites.
 * Node itself comes from the registry (the package `node`). Exit code 1 when one of them fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const versions = process.argv.slice(2);
if (versions.length === 0) versions.push('20', '22', '24');
/** Suites without servers, browsers or a second machine. */
const SUITES = ['tests/tidy.test.ts', 'tests/studio', 'tests/payments', 'tests/inference'];
const LEFT_OUT = 'postgres|crash|webgpu|official|deploy';

const rows = [];
for (const wanted of versions) {
  const folder = mkdtempSync(path.join(os.tmpdir(), `huancai-node-${wanted}-`));
  try {
    rows.push({ wanted, ...tryVersion(wanted, folder) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
for (const { wanted, version, failed } of rows)
  console.log(
    `Node ${wanted} (${version}): ${failed ? `failed at ${failed}` : 'install, demo, suites passed'}`,
  );
process.exitCode = rows.some(({ failed }) => failed) ? 1 : 0;

/** @returns the exact version, and the first step that failed. */
function tryVersion(wanted, folder) {
  const tree = path.join(folder, 'tree');
  const runtime = path.join(folder, 'runtime');
  mkdirSync(runtime);
  execFileSync('git', ['clone', '--quiet', root, tree]);
  const steps = [
    ['node', runtime, ['npm', 'install', '--no-save', '--prefix', runtime, `node@${wanted}`]],
    ['install', tree, ['npm', 'ci']],
    ['demo', tree, ['node', 'dist/cli/main.js', 'demo', '-o', folder]],
    [
      'suites',
      tree,
      ['node', 'node_modules/jest/bin/jest.js', ...SUITES, '--testPathIgnorePatterns', LEFT_OUT],
    ],
  ];
  const package_ = path.join(runtime, 'node_modules', 'node');
  const bin = path.join(package_, 'bin');
  const env = {
    ...process.env,
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    // Native modules are compiled with this Node's headers, not with those of the system.
    npm_config_nodedir: path.join(
      package_,
      'node_modules',
      `node-${process.platform}-${process.arch}`,
    ),
  };
  for (const [name, cwd, [command, ...args]] of steps) {
    console.log(`\n== Node ${wanted}: ${name}`);
    const { status } = spawnSync(command, args, { cwd, env, stdio: 'inherit' });
    if (status !== 0) return { version: versionOf(env), failed: name };
  }
  return { version: versionOf(env) };
}

function versionOf(env) {
  return spawnSync('node', ['--version'], { env, encoding: 'utf8' }).stdout.trim();
}
