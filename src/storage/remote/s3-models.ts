import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { BlobsAway } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import { digestOf } from './flowing.js';
import { createS3Client, type S3Config } from './s3-client.js';
import { s3Fault } from './s3-faults.js';
import { createS3Uploads } from './s3-uploads.js';

const partBytes = 16 * 1024 * 1024;
const tries = 5;

/** The operator's own mirror of models: `<prefix>/models/<name>` in the bucket. */
export interface S3Models {
  /** For people: where it is. */
  readonly place: string;
  /**
   * Read like any mirror: GET of `s3://models/<name>`, with Range and If-Range. A bucket need not
   * be public for that.
   */
  fetch(url: string, init?: { headers?: Readonly<Record<string, string>> }): Promise<Response>;
  /** Put a file under a name; what an earlier try brought over is used. @throws {BlobsAway} */
  publish(name: string, file: string): Promise<void>;
  /** The same for a small text. `scratch` is a path to write it to on the way. */
  publishText(name: string, text: string, scratch: string): Promise<void>;
}

/** @see S3Models */
export function createS3Models({ clock }: { clock: Clock }, config: S3Config): S3Models {
  const client = createS3Client(config);
  const { bucket: Bucket, prefix, endpoint } = config;
  const place = `${endpoint ?? 's3'}/${Bucket}`;
  const uploads = createS3Uploads({ client, clock }, { bucket: Bucket, partBytes });
  const keyOf = (name: string) => `${prefix ? `${prefix}/` : ''}models/${name}`;

  async function publish(name: string, file: string): Promise<void> {
    const { bytes, sha256 } = await digestOf(file);
    for (let failures = 1; ; failures++) {
      try {
        await uploads.upload(keyOf(name), { file, bytes, sha256: sha256.toString('hex') });
        return;
      } catch (error) {
        const fault = s3Fault(error);
        if (fault.progressed) failures = 1;
        if (fault.kind === 'refused' || failures >= tries)
          throw new BlobsAway(place, fault.message, error);
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** (failures - 1)));
      }
    }
  }

  return {
    place,
    publish,

    publishText: async (name, text, scratch) => {
      await writeFile(scratch, text);
      await publish(name, scratch);
    },

    fetch: async (url, { headers = {} } = {}) => {
      const Key = keyOf(new URL(url).pathname.slice(1));
      const { range: Range, 'if-range': validator } = headers;
      const IfMatch = Range && validator?.startsWith('"') ? validator : undefined;
      try {
        return answerOf(await client.send(new GetObjectCommand({ Bucket, Key, Range, IfMatch })));
      } catch (error) {
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata
          ?.httpStatusCode;
        if (status === undefined) throw error;
        // It changed since the first part came: all of it again.
        if (status === 412)
          return answerOf(await client.send(new GetObjectCommand({ Bucket, Key })));
        return new Response(null, { status, statusText: s3Fault(error).message.slice(0, 100) });
      }
    },
  };
}

function answerOf(found: GetObjectCommandOutput): Response {
  const headers = new Headers({ 'content-type': 'application/octet-stream' });
  if (found.ContentLength !== undefined) headers.set('content-length', `${found.ContentLength}`);
  if (found.ContentRange) headers.set('content-range', found.ContentRange);
  if (found.ETag) headers.set('etag', found.ETag);
  const body = Readable.toWeb(found.Body as Readable) as ReadableStream;
  return new Response(body, { status: found.ContentRange ? 206 : 200, headers });
}
