import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from '@swc/core';

/** Repository root. */
export const root = path.resolve(__dirname, '../..');

/** A module that a file names, by `import`, `export ... from`, `import()`, `require()` or in a type. */
export interface ModuleUse {
  readonly spec: string;
  /** Gone when the program runs. */
  readonly typeOnly: boolean;
}

/** A stretch of code with a name. */
export interface Piece {
  readonly name: string;
  /** Where it starts, from 1. */
  readonly line: number;
  readonly lines: number;
}

/** One file of src/ and what its syntax tree tells. */
export interface SourceFile {
  /** Relative to src/, with `/`. */
  readonly name: string;
  readonly text: string;
  readonly uses: readonly ModuleUse[];
  /** Every function, method and arrow with a body, those inside others too. */
  readonly functions: readonly Piece[];
  /** What the file itself declares and exports; names that it only passes on are not counted. */
  readonly exports: readonly (Piece & { readonly documented: boolean })[];
}

/** Every file below a folder. */
function walk(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const file = path.join(dir, name);
    return statSync(file).isDirectory() ? walk(file) : [file];
  });
}

/** All of src/ but declarations. */
export function readSources(): SourceFile[] {
  const src = path.join(root, 'src');
  return walk(src)
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => {
      const name = path.relative(src, file).split(path.sep).join('/');
      return readSource(name, readFileSync(file, 'utf8'));
    });
}

/** A node of swc's tree, as far as we look. Spans count bytes from 1. */
interface Node {
  readonly type?: string;
  readonly span?: { readonly start: number; readonly end: number };
  readonly [field: string]: unknown;
}

/** What a file's syntax tree tells. */
export function readSource(name: string, text: string): SourceFile {
  const program = parseSync(text, {
    syntax: 'typescript',
    tsx: name.endsWith('.tsx'),
    target: 'es2023',
  }) as unknown as { body: Node[] };
  const bytes = Buffer.from(text, 'utf8');
  const uses: ModuleUse[] = [];
  const functions: Piece[] = [];
  const piece = (title: string, { span }: Node): Piece => {
    const start = span!.start - 1;
    const line = count(bytes, 0, start) + 1;
    return { name: title, line, lines: count(bytes, start, span!.end - 1) + 1 };
  };
  const visit = (node: Node, title: string): void => {
    const use = moduleUse(node);
    if (use) uses.push(use);
    if (isFunction(node)) functions.push(piece(title, node));
    for (const value of Object.values(node))
      for (const child of Array.isArray(value) ? value : [value])
        if (child && typeof child === 'object') visit(child, nameOf(child) ?? title);
  };
  for (const node of program.body) visit(node, nameOf(node) ?? 'module');
  const exported = new Map<string, SourceFile['exports'][number]>();
  for (const node of program.body)
    for (const title of exportedNames(node)) {
      const documented = hasDocstring(bytes, node) || exported.get(title)?.documented === true;
      exported.set(title, { ...piece(title, node), documented });
    }
  return { name, text, uses, functions, exports: [...exported.values()] };
}

function count(bytes: Buffer, from: number, to: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(10, from); at >= 0 && at < to; at = bytes.indexOf(10, at + 1))
    lines += 1;
  return lines;
}

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
]);

function isFunction(node: Node): boolean {
  if (!FUNCTIONS.has(node.type ?? '')) return false;
  return Boolean(node['body'] ?? (node['function'] as Node | undefined)?.['body']);
}

/** The name that a declaration, a property or a variable gives to what is inside it. */
function nameOf(node: Node): string | undefined {
  const named = (node['identifier'] ?? node['id'] ?? node['key']) as
    | { value?: unknown }
    | undefined;
  return typeof named?.value === 'string' ? named.value : undefined;
}

function moduleUse(node: Node): ModuleUse | undefined {
  const text = (literal: unknown) => (literal as { value?: string } | null)?.value;
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const spec = text(node['source']);
      const named = (node['specifiers'] ?? []) as { isTypeOnly?: boolean }[];
      const each = named.length > 0 && named.every((one) => one.isTypeOnly);
      return spec === undefined ? undefined : { spec, typeOnly: node['typeOnly'] === true || each };
    }
    case 'TsImportType':
      return { spec: text(node['argument'])!, typeOnly: true };
    case 'CallExpression': {
      const callee = node['callee'] as Node & { value?: string };
      if (callee.type !== 'Import' && callee.value !== 'require') return undefined;
      const [first] = node['arguments'] as { expression: Node & { value?: string } }[];
      if (first?.expression.type !== 'StringLiteral') return undefined;
      return { spec: first.expression.value!, typeOnly: false };
    }
    default:
      return undefined;
  }
}

function exportedNames(node: Node): string[] {
  if (node.type === 'ExportDefaultDeclaration' || node.type === 'ExportDefaultExpression')
    return ['default'];
  if (node.type !== 'ExportDeclaration') return [];
  const declaration = node['declaration'] as Node;
  if (declaration.type !== 'VariableDeclaration') return [nameOf(declaration) ?? '?'];
  return (declaration['declarations'] as { id: Node }[]).flatMap(({ id }) => boundNames(id));
}

/** Names that a binding pattern introduces. */
function boundNames(id: Node): string[] {
  if (id.type === 'Identifier') return [String(id['value'])];
  const inner = (id['properties'] ?? id['elements'] ?? []) as (Node | null)[];
  return inner.flatMap((one) => {
    if (!one) return [];
    const bound = (one['argument'] ?? one['left'] ?? one['value'] ?? one['key']) as Node;
    return boundNames(bound.type ? bound : { ...bound, type: 'Identifier' });
  });
}

function hasDocstring(bytes: Buffer, { span }: Node): boolean {
  const before = bytes.toString('utf8', 0, span!.start - 1).trimEnd();
  return before.endsWith('*/') && before.slice(before.lastIndexOf('/*')).startsWith('/**');
}
