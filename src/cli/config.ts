import { existsSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { systemCodeOf } from '../studio/errors/base.js';
import { botSections } from './config/bots.js';
import { engineSections } from './config/engine.js';
import { fleetSections } from './config/fleet.js';
import { gpuSections } from './config/gpu.js';
import { impactSections } from './config/impact.js';
import { metricsSections } from './config/metrics.js';
import { paymentSections } from './config/payments.js';
import { queueSections } from './config/queue.js';
import { type Setting, settingsOf } from './config/setting.js';
import { studioSections } from './config/studio.js';
import { webSections } from './config/web.js';
import { ConfigFaulty } from './errors.js';
import { packageRoot } from './package-root.js';

/** Sections side by side; the studio, payments and bots spread theirs in here. */
const schema = z.strictObject({
  ...engineSections,
  ...fleetSections,
  ...gpuSections,
  ...paymentSections,
  ...queueSections,
  ...botSections,
  ...studioSections,
  ...webSections,
  ...metricsSections,
  ...impactSections,
});
type Settings = z.infer<typeof schema>;

/** All settings, checked and complete. */
export type Config = Omit<Settings, 'paths'> & {
  readonly paths: Omit<Settings['paths'], 'dataDir'> & { readonly dataDir: string };
};

/** Every setting there is, in order. */
export const allSettings = (): Setting[] => settingsOf(schema);

/** The environment's variables. */
export type Environment = Readonly<Record<string, string | undefined>>;
type Tree = Record<string, unknown>;

/**
 * Merge config/default.yaml, the operator's file (HUANCAI_CONFIG, else config/local.yaml) and the
 * environment, in this order; the last one wins. Read once; the result is frozen.
 * @throws {ConfigFaulty} listing every fault with the setting's name and an example.
 */
export function loadConfig(env: Environment, root = packageRoot): Config {
  const settings = settingsOf(schema);
  const faults: string[] = [];
  const merged = readYaml(path.join(root, 'config', 'default.yaml'));
  for (const file of operatorFiles(env, root, faults)) {
    const tree = readYaml(file, faults);
    faults.push(...secretsIn(tree, settings, file));
    merge(merged, tree);
  }
  for (const one of settings) {
    const value = fromEnvironment(one, env, faults);
    if (value !== undefined) put(merged, one.name.split('.'), value);
  }
  const checked = schema.safeParse(merged);
  if (!checked.success) {
    faults.push(...checked.error.issues.map((issue) => describe(issue, settings)));
  }
  if (faults.length > 0 || !checked.success) throw new ConfigFaulty(faults);
  const dataDir = path.resolve(checked.data.paths.dataDir ?? defaultDataDir(env));
  return deepFreeze({ ...checked.data, paths: { ...checked.data.paths, dataDir } });
}

/** Where the operator's own settings are, or would be. */
export function operatorSettingsFile(env: Environment, root = packageRoot): string {
  const named = env['HUANCAI_CONFIG'];
  return named ? path.resolve(named) : path.join(root, 'config', 'local.yaml');
}

function operatorFiles(env: Environment, root: string, faults: string[]): string[] {
  const file = operatorSettingsFile(env, root);
  if (existsSync(file)) return [file];
  if (env['HUANCAI_CONFIG']) faults.push(`HUANCAI_CONFIG: there is no file ${file}`);
  return [];
}

function readYaml(file: string, faults: string[] = []): Tree {
  try {
    const tree: unknown = parse(readFileSync(file, 'utf8')) ?? {};
    if (typeof tree === 'object' && !Array.isArray(tree)) return tree as Tree;
    faults.push(`${file}: expected sections such as "inference:"`);
  } catch (error) {
    faults.push(`${file}: ${(error as Error).message.split('\n')[0]}`);
  }
  return {};
}

function merge(into: Tree, from: Tree): void {
  for (const [key, value] of Object.entries(from)) {
    const present = into[key];
    if (isTree(present) && isTree(value)) merge(present, value);
    else into[key] = value;
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function put(tree: Tree, trail: string[], value: unknown): void {
  const [key, ...rest] = trail as [string, ...string[]];
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  if (!isTree(tree[key])) tree[key] = {};
  put(tree[key] as Tree, rest, value);
}

function get(tree: Tree, trail: string[]): unknown {
  return trail.reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), tree);
}

/** A file in the working tree is easily committed or copied about: no secrets in YAML. */
function secretsIn(tree: Tree, settings: Setting[], file: string): string[] {
  return settings
    .filter((one) => one.secret && get(tree, one.name.split('.')) != null)
    .map((one) => `${one.name}: is a secret; remove it from ${file} and set ${one.env}`);
}

function fromEnvironment(one: Setting, env: Environment, faults: string[]): unknown {
  const text = env[one.env];
  if (one.secret) return text || secretFile(one, env[`${one.env}_FILE`], faults);
  if (text === undefined || text === '') return undefined;
  // Ids are text even where they look like numbers: 2021000100000001, 37E5.
  if (one.accepts(text)) return text;
  try {
    // YAML's scalars and [lists] are what the files use: 3, true, null, [cuda, cpu].
    return parse(text);
  } catch {
    return text;
  }
}

function secretFile(one: Setting, file: string | undefined, faults: string[]): string | undefined {
  if (!file) return undefined;
  try {
    if (!one.shared && process.platform !== 'win32' && statSync(file).mode & 0o077) {
      faults.push(`${one.env}_FILE: others may read ${file}; run: chmod 600 ${file}`);
    }
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    faults.push(`${one.env}_FILE: cannot read ${file} (${systemCodeOf(error)})`);
    return undefined;
  }
}

function describe(issue: z.core.$ZodIssue, settings: Setting[]): string {
  const name = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const where = name ? `${name}.` : '';
    return `${issue.keys.map((key) => where + key).join(', ')}: no such setting`;
  }
  const known = settings.find((one) => name === one.name || name.startsWith(`${one.name}.`));
  if (!known) return `${name}: ${issue.message}`;
  return `${name} (${known.env}): ${issue.message}; for example ${known.example}`;
}

function defaultDataDir(env: Environment): string {
  const base =
    env['XDG_DATA_HOME'] || env['LOCALAPPDATA'] || path.join(os.homedir(), '.local', 'share');
  return path.join(base, 'huancai');
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child);
  }
  return Object.freeze(value);
}
