import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readSource, readSources, root } from './support/sources.js';

/**
 * The house style that a linter does not know: rings, cycles, sizes and bans (ARCHITECTURE.md).
 */
const rings = ['bots', 'payments', 'inference', 'queue', 'storage', 'web'];

/** Files that may be longer than 250 lines, each with the reason. */
const longFiles: Record<string, string> = {};

/** Lines of a function from its first word to its closing bracket. */
const LONGEST_FUNCTION = 50;

const files = readSources();

/** Source file an import points at, relative to src, or undefined for packages. */
function target(from: string, spec: string): string | undefined {
  if (!spec.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(from), spec).replace(/\.jsx?$/, '');
}

const isApp = (name: string) => name.startsWith('web/app/');

test('core imports nothing of ours and no package', () => {
  const faults: string[] = [];
  for (const { name, uses } of files.filter((f) => f.name.startsWith('studio/'))) {
    for (const { spec, typeOnly } of uses) {
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
  for (const { name, uses } of files) {
    const ring = name.split('/')[0]!;
    if (!rings.includes(ring)) continue;
    for (const { spec } of uses) {
      const to = target(name, spec);
      if (to && !to.startsWith(`${ring}/`) && !to.startsWith('studio/'))
        faults.push(`${name} imports ${spec}`);
    }
  }
  expect(faults).toEqual([]);
});

test('no import cycles, of types neither', () => {
  const graph = new Map<string, string[]>();
  for (const { name, uses } of files) {
    const from = name.replace(/\.tsx?$/, '');
    const to = uses
      .map(({ spec }) => target(name, spec))
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

/**
 * What there is too much of, by ring. A figure only falls: the test fails when the code is better
 * than what stands here, too.
 */
const ratchets = {
  longFunctions: {
    bots: 10,
    cli: 8,
    inference: 11,
    payments: 4,
    queue: 1,
    storage: 5,
    studio: 2,
    web: 12,
  },
  undocumented: {
    bots: 0,
    cli: 39,
    inference: 3,
    payments: 0,
    queue: 0,
    storage: 0,
    studio: 42,
    web: 0,
  },
};

/** Compare what was found with the figures that stand above. @param found lines such as `file:12 name` */
function compare(found: readonly string[], written: Readonly<Record<string, number>>): string[] {
  const byRing = new Map(Object.keys(written).map((ring) => [ring, [] as string[]]));
  for (const one of found) {
    const ring = one.split('/')[0]!;
    byRing.set(ring, [...(byRing.get(ring) ?? []), one]);
  }
  return [...byRing].flatMap(([ring, all]) => {
    const allowed = written[ring] ?? 0;
    if (all.length === allowed) return [];
    if (all.length < allowed)
      return [`${ring}: ${all.length} left. Well done: write ${all.length} instead of ${allowed}`];
    return [`${ring}: ${all.length}, and no more than ${allowed} may be:`, ...all.sort()];
  });
}

test(`functions stay within ${LONGEST_FUNCTION} lines`, () => {
  const found = files.flatMap(({ name, functions }) =>
    functions
      .filter(({ lines }) => lines > LONGEST_FUNCTION)
      .map((one) => `${name}:${one.line} ${one.name}, ${one.lines} lines`),
  );
  expect(compare(found, ratchets.longFunctions)).toEqual([]);
});

test('every export says what it is', () => {
  const found = files.flatMap(({ name, exports }) =>
    exports.filter((one) => !one.documented).map((one) => `${name}:${one.line} ${one.name}`),
  );
  expect(compare(found, ratchets.undocumented)).toEqual([]);
});

test('a ratchet holds in both directions, and names what is new', () => {
  expect(compare(['web/a.ts:1 x'], { web: 1 })).toEqual([]);
  expect(compare([], { web: 1 })).toEqual(['web: 0 left. Well done: write 0 instead of 1']);
  expect(compare(['web/a.ts:1 x'], {})).toEqual([
    'web: 1, and no more than 0 may be:',
    'web/a.ts:1 x',
  ]);
});

test('the reader of sources sees types, inner functions and docstrings', () => {
  const text = [
    "import { type A, type B } from './a.js';",
    "export type { C } from './c.js';",
    "type D = import('./d.js').D;",
    "const late = () => import('./e.js');",
    '/** Ünïcödé. */',
    'export function outer() {',
    '  return {',
    '    inner() {',
    '      return late;',
    '    },',
    '  };',
    '}',
    '// Not a docstring.',
    'export const { f, g: h } = outer();',
    '',
  ].join('\n');
  const { uses, functions, exports } = readSource('a.ts', text);
  expect(uses).toEqual([
    { spec: './a.js', typeOnly: true },
    { spec: './c.js', typeOnly: true },
    { spec: './d.js', typeOnly: true },
    { spec: './e.js', typeOnly: false },
  ]);
  expect(functions).toEqual([
    { name: 'late', line: 4, lines: 1 },
    { name: 'outer', line: 6, lines: 7 },
    { name: 'inner', line: 8, lines: 3 },
  ]);
  expect(exports.map(({ name, documented }) => [name, documented])).toEqual([
    ['outer', true],
    ['f', false],
    ['h', false],
  ]);
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

/**
 * Its install script fetches CUDA from the net and fails where that cannot be reached. npm runs scripts
 * that the lockfile names; `npm install` writes the line again, `allowScripts` keeps npm 11 from obeying.
 */
test('npm ci runs no script of onnxruntime-node, whatever npm: CUDA is a second step', () => {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  expect(lock.packages['node_modules/onnxruntime-node']).not.toHaveProperty('hasInstallScript');
  expect(manifest.allowScripts).toMatchObject({ 'onnxruntime-node': false });
});

test('onnxruntime-node stays on a CUDA 12 build: CUDA 13 has no kernels for Pascal cards', () => {
  expect(manifest.dependencies['onnxruntime-node']).toMatch(/^1\.2[4-6]\.\d+$/);
});
