import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * The house style that a linter does not know: rings, cycles, sizes and bans (ARCHITECTURE.md).
 */
const root = path.resolve(__dirname, '..');
const src = path.join(root, 'src');
const rings = ['bots', 'payments', 'inference', 'queue', 'storage', 'web'];

/** Files that may be longer than 250 lines, each with the reason. */
const longFiles: Record<string, string> = {};

function walk(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const file = path.join(dir, name);
    return statSync(file).isDirectory() ? walk(file) : [file];
  });
}

const files = walk(src)
  .filter((f) => /\.tsx?$/.test(f) && !f.endsWith('.d.ts'))
  .map((file) => ({
    name: path.relative(src, file).split(path.sep).join('/'),
    text: readFileSync(file, 'utf8'),
  }));

function imports(text: string): { spec: string; typeOnly: boolean }[] {
  const pattern = /^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gms;
  const found = [...text.matchAll(pattern)].map((m) => ({ spec: m[2]!, typeOnly: !!m[1] }));
  const bare = [...text.matchAll(/(?:^import|\bimport\(|\brequire\()\s*'([^']+)'/gm)];
  return [...found, ...bare.map((m) => ({ spec: m[1]!, typeOnly: false }))];
}

/** Source file an import points at, relative to src, or undefined for packages. */
function target(from: string, spec: string): string | undefined {
  if (!spec.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(from), spec).replace(/\.jsx?$/, '');
}

const isApp = (name: string) => name.startsWith('web/app/');

test('core imports nothing of ours and no package', () => {
  const faults: string[] = [];
  for (const { name, text } of files.filter((f) => f.name.startsWith('studio/'))) {
    for (const { spec, typeOnly } of imports(text)) {
      const to = target(name, spec);
      const allowed =
        to?.startsWith('studio/') ||
        spec === 'node:assert' ||
        spec === 'node:assert/strict' ||
        (spec.startsWith('node:') && typeOnly);
      if (!allowed) faults.push(`${name} imports ${spec}`);
    }
  }
  expect(faults).toEqual([]);
});

test('rings import studio only, never each other', () => {
  const faults: string[] = [];
  for (const { name, text } of files) {
    const ring = name.split('/')[0]!;
    if (!rings.includes(ring)) continue;
    for (const { spec } of imports(text)) {
      const to = target(name, spec);
      if (to && !to.startsWith(`${ring}/`) && !to.startsWith('studio/'))
        faults.push(`${name} imports ${spec}`);
    }
  }
  expect(faults).toEqual([]);
});

test('no import cycles', () => {
  const graph = new Map<string, string[]>();
  for (const { name, text } of files) {
    const from = name.replace(/\.tsx?$/, '');
    const to = imports(text)
      .filter((i) => !i.typeOnly)
      .map((i) => target(name, i.spec))
      .filter((t): t is string => t !== undefined);
    graph.set(from, to);
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (node: string, trail: string[]): void => {
    if (trail.includes(node)) {
      cycles.push([...trail.slice(trail.indexOf(node)), node].join(' -> '));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  expect(cycles).toEqual([]);
});

test('files stay small', () => {
  const faults = files
    .map(({ name, text }) => ({ name, lines: text.split('\n').length - 1 }))
    .filter(({ name, lines }) => lines > 250 && !(name in longFiles))
    .map(({ name, lines }) => `${name}: ${lines} lines`);
  expect(faults).toEqual([]);
});

test('environment, console and the wall clock are read in the shell only', () => {
  const bans = [/\bprocess\.env\b/, /\bconsole\.\w+\(/, /\bDate\.now\(/, /new Date\(\)/];
  const faults: string[] = [];
  for (const { name, text } of files) {
    if (name.startsWith('cli/') || isApp(name)) continue;
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const ban of bans) if (ban.test(code)) faults.push(`${name}: ${ban.source}`);
  }
  expect(faults).toEqual([]);
});

test('file names are kebab-case', () => {
  const faults = files
    .map((f) => f.name)
    .filter((name) => !isApp(name) && !/^[a-z0-9/-]+(\.d)?\.tsx?$/.test(name));
  expect(faults).toEqual([]);
});

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

test('every dependency names one version, the one the lockfile holds', () => {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const faults: string[] = [];
  for (const kind of ['dependencies', 'devDependencies'])
    for (const [name, version] of Object.entries<string>(manifest[kind])) {
      const held = lock.packages[`node_modules/${name}`]?.version;
      if (!/^\d+\.\d+\.\d+$/.test(version) || version !== held)
        faults.push(`${name}: ${version}, the lockfile holds ${held}`);
    }
  expect(faults).toEqual([]);
});

test('onnxruntime-node stays on a CUDA 12 build: CUDA 13 has no kernels for Pascal cards', () => {
  expect(manifest.dependencies['onnxruntime-node']).toMatch(/^1\.2[4-6]\.\d+$/);
});
