/**
 * What a release must satisfy, one line each: `npm run release:check [-- folder]`. Changes nothing.
 * Exit code 1 when something is missing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '..'));
/** A package as npm makes it; the model that ships with it is most of this. */
const MAX_PACKED_MB = 12;
const NEEDED = [
  'package.json',
  'README.md',
  'LICENSE',
  'dist/cli/main.js',
  'dist/inference/index.js',
  'dist/inference/index.d.ts',
  'config/default.yaml',
  'config/messages/en/cli.yaml',
  'config/messages/zh-CN/cli.yaml',
  'models/catalog.json',
  'models/starter/starter.onnx',
  'models/starter/MODEL_CARD.md',
  'assets/demo/photographer.jpg',
  'docs/command-line.md',
];
const FORBIDDEN =
  /(^|\/)(\.env|local\.yaml|.*\.(log|pem|key|p12|sqlite3?|tsbuildinfo))$|^(src|tests|node_modules)\//;
/** May be handed on together with Apache-2.0; LGPL because sharp loads libvips as a library of its own. */
const LICENCES =
  /^(MIT|ISC|0BSD|Apache-2\.0|BSD(-[23]-Clause|-like)?|BlueOak-1\.0\.0|Unlicense|CC0-1\.0|Zlib|Python-2\.0|PSF-2\.0|MPL-2\.0|LGPL-3\.0-or-later|WTFPL|AFL-2\.1|CC-BY-4\.0)$/;
/** Read in their licence files: their package.json names none, or in a form of old. */
const READ_BY_HAND = { 'dom-walk': 'MIT', domutils: 'BSD-2-Clause', 'exif-parser': 'MIT' };

const read = (name) => readFileSync(path.join(root, name), 'utf8');
const manifest = JSON.parse(read('package.json'));
const lock = JSON.parse(read('package-lock.json'));
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Name of the check -> its faults. */
const checks = {
  changelog: () => {
    const headings = [...read('CHANGELOG.md').matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    const faults = [];
    const unreleased = /^## Unreleased\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(read('CHANGELOG.md'));
    if (unreleased?.[1].trim())
      faults.push(`entries stand under Unreleased: they belong under ${manifest.version}`);
    const [top] = headings.filter((title) => title !== 'Unreleased');
    const [, version, day] = /^(\S+) \((\d{4}-\d{2}-\d{2})\)$/.exec(top ?? '') ?? [];
    if (version !== manifest.version)
      faults.push(
        `the newest heading is "${top}", package.json says ${manifest.version} (yyyy-mm-dd)`,
      );
    else if (Number.isNaN(Date.parse(day)) || Date.parse(day) > Date.now())
      faults.push(`${day} is no day, or one to come`);
    return faults;
  },
  tree: () =>
    run('git', 'status', '--porcelain')
      .split('\n')
      .filter(Boolean)
      .map((line) => `not committed: ${line}`),
  lockfile: () => {
    const held = lock.packages[''];
    const faults = [];
    for (const field of ['name', 'version'])
      if (lock[field] !== manifest[field] || held[field] !== manifest[field])
        faults.push(`${field}: package.json ${manifest[field]}, lockfile ${lock[field]}`);
    for (const kind of ['dependencies', 'devDependencies'])
      for (const name of Object.keys({ ...manifest[kind], ...held[kind] }))
        if (manifest[kind]?.[name] !== held[kind]?.[name])
          faults.push(
            `${name}: package.json ${manifest[kind]?.[name]}, lockfile ${held[kind]?.[name]}`,
          );
    return faults;
  },
  pack: () => {
    const [{ files, size }] = JSON.parse(
      run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts'),
    );
    const names = new Set(files.map((file) => file.path));
    const megabytes = size / 1e6;
    return [
      ...NEEDED.filter((name) => !names.has(name)).map((name) => `${name} is not in the package`),
      ...[...names]
        .filter((name) => FORBIDDEN.test(name))
        .map((name) => `${name} is in the package`),
      ...(megabytes > MAX_PACKED_MB ? [`${megabytes.toFixed(1)} MB, limit ${MAX_PACKED_MB}`] : []),
    ];
  },
  documents: () => documents().flatMap(documentFaults),
  licences: () =>
    Object.entries(lock.packages)
      .filter(([place, { dev, link }]) => place !== '' && !dev && !link)
      .map(([place, { license }]) => [place.replace(/^.*node_modules\//, ''), license])
      .map(([name, license]) => [name, license ?? READ_BY_HAND[name]])
      .filter(([, license]) => !allowed(license))
      .map(([name, license]) => `${name}: ${license ?? 'none named'}`),
  manifest: () =>
    ['description', 'license', 'repository', 'engines', 'bin']
      .filter((field) => !manifest[field])
      .map((field) => `package.json: no ${field}`),
};

/** "A AND B" needs both, "(A OR B)" one of them; old packages hold a list to choose from. */
function allowed(expression = '') {
  if (Array.isArray(expression)) return expression.some(allowed);
  return String(expression.type ?? expression)
    .replace(/[()]/g, '')
    .split(' AND ')
    .every((part) => part.split(' OR ').some((name) => LICENCES.test(name)));
}

function documents() {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const docs = existsSync(path.join(root, 'docs'))
    ? readdirSync(path.join(root, 'docs'), { recursive: true })
        .filter((name) => name.endsWith('.md'))
        .map((name) => path.posix.join('docs', name.split(path.sep).join('/')))
    : [];
  return [...top, ...docs];
}

/** Scripts that a document names must exist, and so must the files it links to. */
function documentFaults(document) {
  const text = read(document);
  const faults = [];
  for (const [, name] of text.matchAll(/npm run ([a-z][a-z:-]*[a-z])/g))
    if (!manifest.scripts?.[name]) faults.push(`${document}: npm run ${name}`);
  for (const [, name] of text.matchAll(/\b(scripts\/[\w-]+\.(?:mjs|sh|cjs))/g))
    if (!existsSync(path.join(root, name))) faults.push(`${document}: ${name}`);
  for (const [, link] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g))
    if (!existsSync(path.join(root, path.dirname(document), link)))
      faults.push(`${document}: ${link}`);
  return faults;
}

let failed = false;
for (const [name, check] of Object.entries(checks)) {
  let faults;
  try {
    faults = check();
  } catch (error) {
    faults = [String(error.stderr || error.message).trim()];
  }
  console.log(`${faults.length === 0 ? 'ok    ' : 'FAULT '} ${name}`);
  for (const fault of faults) console.log(`         ${fault}`);
  failed ||= faults.length > 0;
}
process.exitCode = failed ? 1 : 0;
