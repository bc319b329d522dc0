import path from 'node:path';
import type { RemoteStore } from '../storage/remote/remote-store.js';
import type { S3Config } from '../storage/remote/s3-client.js';
import type { Clock } from '../studio/ports/basics.js';
import type { Blobs } from '../studio/ports/blobs.js';
import type { Config } from './config.js';
import { ConfigFaulty } from './errors.js';

export interface OpenedBlobs {
  readonly blobs: Blobs;
  readonly kind: 'folder' | 's3' | 'studio';
  /** Whether the place answers; asked before work is taken. */
  reachable(): boolean;
}

/**
 * Where photos lie: a bucket when one is named, else the studio's address for a worker that has
 * one, else the data folder. Of the three, the one that is used is loaded.
 * @throws {ConfigFaulty}
 */
export async function openBlobs(
  clock: Clock,
  config: Config,
  role: 'studio' | 'worker',
): Promise<OpenedBlobs> {
  const folder = path.join(config.paths.dataDir, 'blobs');
  const bucket = s3ConfigOf(config);
  const { studioUrl, token } = config.worker;
  if (bucket) {
    // Which Node we run on is ours to say; the package says it on every start.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    const { createS3Store } = await import('../storage/remote/s3-store.js');
    return remote('s3', createS3Store({ clock }, bucket));
  }
  if (role === 'worker' && studioUrl) {
    if (!token)
      throw new ConfigFaulty(['HUANCAI_STUDIO_URL is set: HUANCAI_WORKER_TOKEN is missing']);
    const { stallMs } = config.blobs;
    const { createHttpStore } = await import('../storage/remote/http-store.js');
    return remote('studio', createHttpStore({ studioUrl, token, stallMs }));
  }
  const { createFileBlobs } = await import('../storage/file-blobs.js');
  return { blobs: createFileBlobs({ clock }, { folder }), kind: 'folder', reachable: () => true };

  async function remote(kind: 's3' | 'studio', store: RemoteStore): Promise<OpenedBlobs> {
    const { createRemoteBlobs } = await import('../storage/remote/remote-blobs.js');
    const { cacheBytes, cacheHours, stallMs, tries } = config.blobs;
    const blobs = createRemoteBlobs(
      { remote: store, clock },
      {
        folder: path.join(config.paths.dataDir, 'blob-cache'),
        ...{ maxBytes: cacheBytes, maxAgeMs: cacheHours * 3_600_000 },
        ...{ stallMs, tries, retryDelayMs: 500 },
      },
    );
    return { blobs, kind, reachable: blobs.reachable };
  }
}

/** The operator's bucket, if one is named. @throws {ConfigFaulty} naming what is missing. */
export function s3ConfigOf({ s3, blobs }: Config): S3Config | undefined {
  const { endpoint, bucket, accessKeyId, secretAccessKey, region, pathStyle, prefix } = s3;
  if (!bucket) return undefined;
  if (!accessKeyId || !secretAccessKey) {
    const missing = [
      accessKeyId ? '' : 'S3_ACCESS_KEY_ID',
      secretAccessKey ? '' : 'S3_SECRET_ACCESS_KEY',
    ];
    const names = missing.filter(Boolean).join(', ');
    throw new ConfigFaulty([`S3_BUCKET is set: ${names} missing (environment, or <NAME>_FILE)`]);
  }
  const place = { bucket, region, pathStyle, prefix, stallMs: blobs.stallMs };
  return { ...place, accessKeyId, secretAccessKey, ...(endpoint ? { endpoint } : {}) };
}
