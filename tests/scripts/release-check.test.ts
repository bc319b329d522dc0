import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const repository = path.resolve(__dirname, '../..');
const script = path.join(repository, 'scripts', 'release-check.mjs');
let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'release-'));
  for (const name of ['package.json', 'package-lock.json'])
    cpSync(path.join(repository, name), path.join(root, name));
  change('package.json', (text) => text.replace('"prepare": "npm run build",', ''));
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  write(
    'CHANGELOG.md',
    `# Changelog\n\n## Unreleased\n\n## ${version} (2026-01-31)\n\n- Colour.\n`,
  );
  write('README.md', '`npm run check`, [docs](docs/command-line.md)\n');
  for (const name of [
    ...['LICENSE', 'dist/cli/main.js', 'dist/inference/index.js', 'dist/inference/index.d.ts'],
    ...['config/default.yaml', 'config/messages/en/cli.yaml', 'config/messages/zh-CN/cli.yaml'],
    ...['models/catalog.json', 'models/starter/starter.onnx', 'models/starter/MODEL_CARD.md'],
    ...['assets/demo/photographer.jpg', 'docs/command-line.md'],
  ])
    write(name, 'x');
  git('init', '--quiet');
  commit();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

function change(name: string, edit: (text: string) => string): void {
  write(name, edit(readFileSync(path.join(root, name), 'utf8')));
}

function git(...args: string[]): void {
  const who = ['-c', 'user.name=maintainers', '-c', 'user.email=maintainers@localhost'];
  execFileSync('git', [...who, ...args], { cwd: root });
}

function commit(): void {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'x');
}

function check(): { status: number | null; text: string } {
  const { status, stdout } = spawnSync('node', [script, root], { encoding: 'utf8' });
  return { status, text: stdout };
}

test('a tree that may be released', () => {
  const { status, text } = check();
  expect(text).not.toContain('FAULT');
  expect(status).toBe(0);
});

test('every fault is named', () => {
  write('docs/command-line.md', '`npm run nothing`, scripts/gone.mjs, [gone](gone.md)');
  write('config/local.yaml', 'x');
  rmSync(path.join(root, 'models/starter/starter.onnx'));
  change('CHANGELOG.md', (text) => text.replace('## Unreleased\n', '## Unreleased\n\n- New.\n'));
  change('package.json', (text) =>
    text.replace(/"version": "[^"]+"/, '"version": "9.9.9"').replace('"pg": "8.', '"pg": "7.'),
  );
  change('package-lock.json', (text) =>
    text.replace(/("node_modules\/pg": \{[\s\S]*?"license": )"MIT"/, '$1"AGPL-3.0-only"'),
  );
  commit();
  write('untidy.txt', 'x');
  const { status, text } = check();
  expect(status).toBe(1);
  for (const fault of [
    /FAULT {2}changelog\n.*entries stand under Unreleased.*\n.*package\.json says 9\.9\.9/,
    /FAULT {2}tree\n.*untidy\.txt/,
    /FAULT {2}lockfile\n.*version: package\.json 9\.9\.9[\s\S]*pg: package\.json 7\./,
    /starter\.onnx is not in the package/,
    /config\/local\.yaml is in the package/,
    /command-line\.md: npm run nothing\n.*scripts\/gone\.mjs\n.*gone\.md/,
    /FAULT {2}licences\n.*pg: AGPL-3\.0-only/,
  ])
    expect(text).toMatch(fault);
});

test('this repository: its documents, licences, lockfile and package, whatever is not committed yet', () => {
  const { stdout } = spawnSync('node', [script], { encoding: 'utf8' });
  for (const name of ['lockfile', 'pack', 'documents', 'licences', 'manifest'])
    expect(stdout).toContain(`ok     ${name}`);
});
