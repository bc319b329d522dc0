import path from 'node:path';
import type { EnvHttpProxyAgent } from 'undici';
import {
  type ConvertCheckpoint,
  createModelStore,
  type Fetch,
  type ModelStore,
} from '../../inference/models/index.js';
import type { S3Models } from '../../storage/remote/s3-models.js';
import { ConfigFaulty } from '../errors.js';
import { s3ConfigOf } from '../open-blobs.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import { ddcolorChoices } from './ddcolor-choices.js';

type StoreShell = Pick<Shell, 'config' | 'env' | 'now'>;

/** Folder of pulled and imported models. */
export function modelsDirOf({ config }: Pick<Shell, 'config'>): string {
  return path.join(config.paths.dataDir, 'models');
}

/**
 * The models of this installation. Tried first: the operator's bucket, then MODEL_MIRRORS (base
 * addresses separated by commas or spaces), then the studio a worker belongs to; plain http is allowed only when HUANCAI_MODEL_MIRRORS_HTTP=1.
 */
export function openModelStore(
  shell: StoreShell,
  convert: ConvertCheckpoint = convertOnDemand,
): ModelStore {
  const { env } = shell;
  let choices: readonly [string, ...string[]] | undefined;
  return createModelStore(
    { fetch: fetchFor(shell), clock: { now: shell.now }, convert },
    {
      bundledDir: path.join(packageRoot, 'models'),
      catalogFile: path.join(packageRoot, 'models', 'catalog.json'),
      modelsDir: modelsDirOf(shell),
      aliases: {
        // Asking a card's driver takes time: only who says `ddcolor` waits for it.
        get ddcolor() {
          choices ??= ddcolorChoices(shell.config);
          return choices;
        },
      },
      mirrors: mirrorsOf(shell),
      allowHttp: env['HUANCAI_MODEL_MIRRORS_HTTP'] === '1',
    },
  );
}

/** The converter is loaded when the first checkpoint comes: most runs never need it. */
const convertOnDemand: ConvertCheckpoint = async (...parts) => {
  const { convertForStore } = await import('./convert-run.js');
  await convertForStore(...parts);
};

/** Where the worker's studio offers its models; `studio:` so that only we can name it. */
const studioMirror = 'studio://models';

function mirrorsOf({ config, env }: StoreShell): string[] {
  const named = (env['MODEL_MIRRORS'] ?? '').split(/[\s,]+/).filter(Boolean);
  const { studioUrl, token } = config.worker;
  return [
    ...(config.s3.bucket ? ['s3://models'] : []),
    ...named,
    ...(studioUrl && token ? [studioMirror] : []),
  ];
}

/** One `fetch` for all of them: the bucket signed, the studio with the token, the rest as it is. */
function fetchFor(shell: StoreShell): Fetch {
  const { config, env } = shell;
  const plain = fetchThroughProxy(env);
  let bucket: Promise<S3Models> | undefined;
  return (async (url: URL | string, init: { headers?: Record<string, string> } = {}) => {
    const address = String(url);
    if (address.startsWith('s3://')) {
      bucket ??= openS3Models(shell);
      return (await bucket).fetch(address, init);
    }
    if (!address.startsWith(studioMirror)) return plain(url, init);
    const { studioUrl, token } = config.worker;
    const there = `${studioUrl}/fleet/v1/models${address.slice(studioMirror.length)}`;
    return fetch(there, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
  }) as Fetch;
}

/** The operator's bucket as a mirror. @throws {ConfigFaulty} */
export async function openS3Models({ config, now }: StoreShell): Promise<S3Models> {
  const bucket = s3ConfigOf(config);
  if (!bucket) throw new ConfigFaulty(['S3_BUCKET: no bucket is named (docs/fleet.md)']);
  const { createS3Models } = await import('../../storage/remote/s3-models.js');
  return createS3Models({ clock: { now } }, bucket);
}

/** HTTPS_PROXY and NO_PROXY are obeyed, as every other download tool does. */
function fetchThroughProxy(env: Shell['env']): Fetch {
  const proxied =
    env['HTTPS_PROXY'] || env['https_proxy'] || env['HTTP_PROXY'] || env['http_proxy'];
  if (!proxied) return fetch;
  let dispatcher: EnvHttpProxyAgent | undefined;
  return (async (url, init) => {
    const undici = await import('undici');
    dispatcher ??= new undici.EnvHttpProxyAgent();
    return undici.fetch(url as string, { ...(init as object), dispatcher });
  }) as Fetch;
}
