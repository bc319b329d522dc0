import os from 'node:os';
import path from 'node:path';
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { chooseDdcolor } from '../../inference/convert/choose-ddcolor.js';
import {
  type ConvertCheckpoint,
  createModelStore,
  type Fetch,
  type ModelStore,
} from '../../inference/models/index.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';

type StoreShell = Pick<Shell, 'config' | 'env' | 'now'>;

/** Folder of pulled and imported models. */
export function modelsDirOf({ config }: Pick<Shell, 'config'>): string {
  return path.join(config.paths.dataDir, 'models');
}

/**
 * The models of this installation. MODEL_MIRRORS holds base addresses separated by commas or spaces,
 * tried first; plain http is allowed only when HUANCAI_MODEL_MIRRORS_HTTP=1.
 */
export function openModelStore(
  shell: StoreShell,
  convert: ConvertCheckpoint = convertOnDemand,
): ModelStore {
  const { env } = shell;
  return createModelStore(
    { fetch: fetchFor(env), clock: { now: shell.now }, convert },
    {
      bundledDir: path.join(packageRoot, 'models'),
      catalogFile: path.join(packageRoot, 'models', 'catalog.json'),
      modelsDir: modelsDirOf(shell),
      aliases: { ddcolor: ddcolorChoices() },
      mirrors: (env['MODEL_MIRRORS'] ?? '').split(/[\s,]+/).filter(Boolean),
      allowHttp: env['HUANCAI_MODEL_MIRRORS_HTTP'] === '1',
    },
  );
}

/** `--model ddcolor`: the network that suits this machine's memory, else the smaller one. */
function ddcolorChoices(): [string, ...string[]] {
  const best = chooseDdcolor({ totalMemoryBytes: os.totalmem() });
  return best === 'ddcolor-tiny' ? [best] : [best, 'ddcolor-tiny'];
}

/** The converter is loaded when the first checkpoint comes: most runs never need it. */
const convertOnDemand: ConvertCheckpoint = async (...parts) => {
  const { convertForStore } = await import('./convert-run.js');
  await convertForStore(...parts);
};

/** HTTPS_PROXY and NO_PROXY are obeyed, as every other download tool does. */
function fetchFor(env: Shell['env']): Fetch {
  const proxied =
    env['HTTPS_PROXY'] || env['https_proxy'] || env['HTTP_PROXY'] || env['http_proxy'];
  if (!proxied) return fetch;
  const dispatcher = new EnvHttpProxyAgent();
  return ((url, init) => undiciFetch(url as string, { ...(init as object), dispatcher })) as Fetch;
}
