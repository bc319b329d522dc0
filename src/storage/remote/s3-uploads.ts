import { createReadStream } from 'node:fs';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListParts,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Clock } from '../../studio/ports/basics.js';
import { steadyNow } from '../../studio/steady-now.js';
import { type Digest, digestOf } from './flowing.js';
import { type FileFacts, RemoteFault } from './remote-store.js';
import { s3Fault } from './s3-faults.js';

/** Half an upload that nobody went on with. */
const abandonedMs = 86_400_000;

type AnyCommand = PutObjectCommand | UploadPartCommand;

/**
 * Files into a bucket. A key names its content, so half an upload under a key can be gone on with
 * by anybody: parts whose MD5 is right are not sent again.
 */
export function createS3Uploads(
  { client, clock }: { client: S3Client; clock: Clock },
  config: { readonly bucket: string; readonly partBytes: number },
) {
  const { bucket: Bucket, partBytes } = config;

  async function putWhole(Key: string, { file, bytes, sha256 }: FileFacts): Promise<void> {
    const digest = await digestOf(file);
    const Body = bytes === 0 ? Buffer.alloc(0) : createReadStream(file);
    const command = new PutObjectCommand({
      ...{ Bucket, Key, Body, ContentLength: bytes, ContentMD5: digest.md5.toString('base64') },
      Metadata: { sha256 },
    });
    await client.send(sealed(command, digest));
  }

  async function putParts(Key: string, { file, bytes, sha256 }: FileFacts): Promise<void> {
    const UploadId = (await unfinished(Key)) ?? (await begin(Key, sha256));
    const there = await partsOf(Key, UploadId);
    const Parts: { PartNumber: number; ETag: string }[] = [];
    const held = there.size;
    try {
      for (let at = 0, PartNumber = 1; at < bytes; at += partBytes, PartNumber++) {
        const range = { file, start: at, end: Math.min(at + partBytes, bytes) };
        Parts.push({ PartNumber, ETag: await part({ Key, UploadId, PartNumber }, range, there) });
      }
    } catch (error) {
      const { kind, message, cause } = s3Fault(error);
      throw new RemoteFault(kind, message, { cause, progressed: Parts.length > held });
    }
    const done = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
    await client.send(new CompleteMultipartUploadCommand(done));
  }

  /** Send one part unless it is there. @returns its ETag. */
  async function part(
    place: { Key: string; UploadId: string; PartNumber: number },
    { file, start, end }: { file: string; start: number; end: number },
    there: ReadonlyMap<number, string>,
  ): Promise<string> {
    const digest = await digestOf(file, start, end);
    const known = there.get(place.PartNumber);
    if (known === `"${digest.md5.toString('hex')}"`) return known;
    const command = new UploadPartCommand({
      ...{ Bucket, ...place, ContentLength: end - start },
      Body: createReadStream(file, { start, end: end - 1 }),
      ContentMD5: digest.md5.toString('base64'),
    });
    return (await client.send(sealed(command, digest))).ETag ?? '';
  }

  async function begin(Key: string, sha256: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { sha256 } });
    return (await client.send(command)).UploadId as string;
  }

  /** The newest half upload of this key. */
  async function unfinished(Key: string): Promise<string | undefined> {
    const command = new ListMultipartUploadsCommand({ Bucket, Prefix: Key });
    const { Uploads = [] } = await client.send(command);
    const own = Uploads.filter((one) => one.Key === Key);
    own.sort((a, b) => (b.Initiated?.getTime() ?? 0) - (a.Initiated?.getTime() ?? 0));
    return own[0]?.UploadId;
  }

  async function partsOf(Key: string, UploadId: string): Promise<Map<number, string>> {
    const parts = new Map<number, string>();
    for await (const page of paginateListParts({ client }, { Bucket, Key, UploadId }))
      for (const { PartNumber = 0, ETag = '' } of page.Parts ?? []) parts.set(PartNumber, ETag);
    return parts;
  }

  return {
    upload: (key: string, facts: FileFacts) =>
      facts.bytes > partBytes ? putParts(key, facts) : putWhole(key, facts),

    /** Parts of uploads that nobody finished cost money and show nowhere. */
    abortAbandoned: async (prefix: string): Promise<void> => {
      const command = new ListMultipartUploadsCommand({ Bucket, Prefix: prefix || undefined });
      const { Uploads = [] } = await client.send(command);
      for (const { Key, UploadId, Initiated } of Uploads) {
        if (steadyNow(clock) - (Initiated?.getTime() ?? 0) < abandonedMs) continue;
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      }
    },
  };
}

/** Sign the body's own sha256, which the server then compares; the client would leave it out. */
function sealed<C extends AnyCommand>(command: C, digest: Digest): C {
  const stack = command.middlewareStack as unknown as {
    add(middleware: unknown, options: unknown): void;
  };
  type Next = (args: { request: { headers: Record<string, string> } }) => Promise<unknown>;
  const seal = (next: Next) => (args: Parameters<Next>[0]) => {
    args.request.headers['x-amz-content-sha256'] = digest.sha256.toString('hex');
    return next(args);
  };
  stack.add(seal, { step: 'build', name: 'huancaiSeal' });
  return command;
}
