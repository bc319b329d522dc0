import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Clock } from '../../studio/ports/basics.js';
import { parseKey } from '../blob-keys.js';
import { RemoteFault, type RemoteStore } from './remote-store.js';
import { createS3Client, type S3Config } from './s3-client.js';
import { s3Fault } from './s3-faults.js';
import { createS3Uploads } from './s3-uploads.js';

/** A bucket, and how files go up. */
export interface S3StoreConfig extends S3Config {
  /** Files longer than this go up in parts of this length; S3's least is 5 MiB. Default 16 MiB. */
  readonly partBytes?: number;
}

/** Blobs as objects `<prefix>/<kind>/<sha256>` of a bucket. */
export function createS3Store({ clock }: { clock: Clock }, config: S3StoreConfig): RemoteStore {
  const client = createS3Client(config);
  const { bucket: Bucket, prefix } = config;
  const nameOf = (key: string) => (prefix ? `${prefix}/${key}` : key);
  const keyOf = (name: string) => (prefix ? name.slice(prefix.length + 1) : name);
  const partBytes = config.partBytes ?? 16 * 1024 * 1024;
  const uploads = createS3Uploads({ client, clock }, { ...config, partBytes });

  return {
    place: `${config.endpoint ?? 's3'}/${Bucket}`,

    head: (key) =>
      asking(() => headOf(client, Bucket, nameOf(key))).catch((error) => {
        if (error instanceof RemoteFault && error.kind === 'missing') return undefined;
        throw error;
      }),

    upload: (key, facts) => asking(() => uploads.upload(nameOf(key), facts)),

    read: (key, startBytes) => asking(() => read(client, Bucket, nameOf(key), startBytes)),

    delete: (key) =>
      asking(async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key: nameOf(key) }));
      }),

    list: async function* () {
      await asking(() => uploads.abortAbandoned(prefix));
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: prefix && `${prefix}/` });
      const iterator = pages[Symbol.asyncIterator]();
      for (;;) {
        const page = await asking(() => iterator.next());
        if (page.done) return;
        for (const { Key = '', Size = 0, LastModified } of page.value.Contents ?? []) {
          const key = keyOf(Key);
          if (parseKey(key)) yield { key, bytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
        }
      }
    },
  };
}

/** An answer to HEAD has no body and so no reason: where it is a refusal, GET is told why. */
async function headOf(client: S3Client, Bucket: string, Key: string) {
  try {
    const found = await client.send(new HeadObjectCommand({ Bucket, Key }));
    return factsOf(found);
  } catch (error) {
    const status = statusOf(error) ?? 0;
    if (status === 404 || status < 400 || status >= 500) throw error;
    const found = await client.send(new GetObjectCommand({ Bucket, Key }));
    (found.Body as Readable).destroy();
    return factsOf(found);
  }
}

function factsOf(found: { ContentLength?: number; LastModified?: Date }) {
  const { ContentLength = 0, LastModified } = found;
  return { bytes: ContentLength, modifiedMs: LastModified?.getTime() ?? 0 };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

async function read(client: S3Client, Bucket: string, Key: string, startBytes: number) {
  try {
    const Range = startBytes > 0 ? `bytes=${startBytes}-` : undefined;
    const found = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(found.ContentRange ?? '');
    return {
      body: found.Body as Readable,
      startBytes: Number(range?.[1] ?? 0),
      totalBytes: Number(range?.[2] ?? found.ContentLength ?? 0),
    };
  } catch (error) {
    // Nothing is left to send: what is here is whole, or longer than it may be.
    if (statusOf(error) === 416 && startBytes > 0) return read(client, Bucket, Key, 0);
    throw error;
  }
}

async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw s3Fault(error);
  }
}
