import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bucket, type StoredObject } from './bucket.js';
import { type S3Keys, verifySigV4 } from './sigv4.js';

/**
 * - `cut`: the connection ends in the middle of the body. `stall`: it stays silent from there on.
 * - `wrongBytes`: one byte of the answer is another. `replyLost`: it took effect, no answer.
 */
export type S3Fault = 'http500' | 'slowDown' | 'cut' | 'stall' | 'wrongBytes' | 'replyLost';

export interface S3Emulator {
  readonly endpoint: string;
  readonly keys: S3Keys;
  readonly bucketName: string;
  readonly bucket: Bucket;
  /** `PUT object`, `GET object`, `PUT part`..., in order, with S3's code when refused. */
  readonly log: string[];
  /** Asked once per request. */
  faults: (what: string) => S3Fault | undefined;
  /** How far the server's clock is ahead of this machine's. */
  skewMs: number;
  close(): Promise<void>;
}

interface Call {
  readonly what: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** An S3 server in one process that verifies every signature and every digest. Path style. */
export async function startS3(port = 0, bucketName = 'huancai'): Promise<S3Emulator> {
  const keys = { accessKeyId: 'AKIDEMULATOR', secretAccessKey: 'secret/with+signs=and-more' };
  const now = () => Date.now() + emulator.skewMs;
  const server = createServer((request, response) => {
    void serve(emulator, request, response, now).catch((error) => {
      if (request.socket?.destroyed === false) fail(response, 500, `EmulatorBug ${error}`, now());
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const emulator: S3Emulator = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ keys, bucketName, log: [], skewMs: 0, faults: () => undefined },
    bucket: new Bucket(() => now()),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return emulator;
}

async function serve(
  emulator: S3Emulator,
  request: IncomingMessage,
  response: ServerResponse,
  now: () => number,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const [, bucketName, ...rest] = decodeURIComponent(url.pathname).split('/');
  const key = rest.join('/');
  const what = operation(request.method ?? 'GET', key, url.searchParams);
  const call = { what, key, query: url.searchParams, request, response };
  const fault = emulator.faults(what);
  const refuse = (status: number, code: string) => {
    emulator.log.push(`${what} ${code}`);
    request.resume();
    fail(response, status, code, now());
  };
  const refusal = verifySigV4(request, emulator.keys, now());
  if (refusal) return refuse(refusal.status, refusal.code);
  if (bucketName !== emulator.bucketName) return refuse(404, 'NoSuchBucket');
  if (fault === 'http500') return refuse(500, 'InternalError');
  if (fault === 'slowDown') return refuse(503, 'SlowDown');
  const body = await receive(call, fault);
  if (!body) return void emulator.log.push(`${what} ${fault}`);
  const wrong = digestFault(request, body);
  if (wrong) return refuse(400, wrong);
  emulator.log.push(what);
  answer(emulator, call, body, fault, now());
}

function operation(method: string, key: string, query: URLSearchParams): string {
  if (query.has('uploads')) return method === 'POST' ? 'POST uploads' : 'GET uploads';
  if (query.has('uploadId'))
    return (
      { PUT: 'PUT part', POST: 'POST complete', GET: 'GET parts' }[method] ?? `${method} upload`
    );
  return `${method} ${key ? 'object' : 'list'}`;
}

/** @returns the whole body; undefined when a fault ended it. */
async function receive({ request }: Call, fault: S3Fault | undefined): Promise<Buffer | undefined> {
  const length = Number(request.headers['content-length'] ?? 0);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const breaks = request.method === 'PUT' && (fault === 'cut' || fault === 'stall');
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (breaks && bytes >= length / 2) break;
  }
  if (breaks && fault === 'cut') request.socket.destroy();
  return breaks ? undefined : Buffer.concat(chunks);
}

function digestFault({ headers }: IncomingMessage, body: Buffer): string | undefined {
  const sha256 = String(headers['x-amz-content-sha256']);
  if (sha256 !== createHash('sha256').update(body).digest('hex'))
    return 'XAmzContentSHA256Mismatch';
  const md5 = headers['content-md5'];
  const found = createHash('md5').update(body).digest('base64');
  return md5 === undefined || md5 === found ? undefined : 'BadDigest';
}

function answer(
  { bucket, bucketName }: S3Emulator,
  call: Call,
  body: Buffer,
  fault: S3Fault | undefined,
  nowMs: number,
): void {
  const { what, key, query, request, response } = call;
  const id = query.get('uploadId') ?? '';
  const object = bucket.objects.get(key);
  const done = (headers: Record<string, string> = {}, status = 200) =>
    fault === 'replyLost' ? request.socket.destroy() : response.writeHead(status, headers).end();
  const xml = (text: string) =>
    fault === 'replyLost'
      ? request.socket.destroy()
      : response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
  switch (what) {
    case 'HEAD object':
      return void (object
        ? response.writeHead(200, headersOf(object)).end()
        : fail(response, 404, 'NotFound', nowMs));
    case 'GET object':
      if (object) sendObject(call, object, fault);
      else fail(response, 404, 'NoSuchKey', nowMs);
      return;
    case 'PUT object':
      return void done({ etag: bucket.put(key, body).etag });
    case 'DELETE object':
      bucket.objects.delete(key);
      return void done({}, 204);
    case 'POST uploads':
      return void xml(
        `<InitiateMultipartUploadResult><Bucket>${bucketName}</Bucket><Key>${key}</Key><UploadId>${bucket.begin(key)}</UploadId></InitiateMultipartUploadResult>`,
      );
    case 'PUT part': {
      const etag = bucket.putPart(id, key, Number(query.get('partNumber')), body);
      if (etag) done({ etag });
      else fail(response, 404, 'NoSuchUpload', nowMs);
      return;
    }
    case 'POST complete': {
      const code = bucket.complete(id, key, partsIn(body.toString()));
      if (code) fail(response, code === 'NoSuchUpload' ? 404 : 400, code, nowMs);
      else
        xml(
          `<CompleteMultipartUploadResult><Key>${key}</Key><ETag>"x-2"</ETag></CompleteMultipartUploadResult>`,
        );
      return;
    }
    case 'GET parts':
      return void xml(listParts(bucket, id));
    case 'GET uploads':
      return void xml(listUploads(bucket, query.get('prefix') ?? ''));
    case 'DELETE upload':
      bucket.uploads.delete(id);
      return void done({}, 204);
    case 'GET list':
      return void xml(listObjects(bucket, query));
    default:
      fail(response, 501, 'NotImplemented', nowMs);
  }
}

const dateOf = (ms: number) => new Date(ms).toISOString();

function headersOf({ body, etag, modifiedMs }: StoredObject): Record<string, string> {
  const modified = new Date(modifiedMs).toUTCString();
  return {
    'content-length': String(body.length),
    etag,
    'last-modified': modified,
    'accept-ranges': 'bytes',
  };
}

function sendObject({ request, response }: Call, object: StoredObject, fault?: S3Fault): void {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(asked?.[1] ?? 0);
  const total = object.body.length;
  if (asked && start >= total) {
    fail(response, 416, 'InvalidRange', Date.now());
    return;
  }
  const body = Buffer.from(object.body.subarray(start));
  const headers = { ...headersOf(object), 'content-length': String(body.length) };
  if (fault === 'wrongBytes') body[body.length >> 1]! ^= 1;
  if (asked)
    response.writeHead(206, {
      ...headers,
      'content-range': `bytes ${start}-${total - 1}/${total}`,
    });
  else response.writeHead(200, headers);
  if (fault === 'cut')
    return void response.write(body.subarray(0, body.length >> 1), () => request.socket.destroy());
  if (fault === 'stall') return void response.write(body.subarray(0, body.length >> 1));
  response.end(body);
}

function partsIn(xml: string): { number: number; etag: string }[] {
  return [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
  }));
}

function listParts(bucket: Bucket, id: string): string {
  const parts = [...(bucket.uploads.get(id)?.parts ?? [])].map(
    ([number, { etag, body }]) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${body.length}</Size></Part>`,
  );
  return `<ListPartsResult><UploadId>${id}</UploadId><IsTruncated>false</IsTruncated>${parts.join('')}</ListPartsResult>`;
}

function listUploads(bucket: Bucket, prefix: string): string {
  const uploads = [...bucket.uploads]
    .filter(([, { key }]) => key.startsWith(prefix))
    .map(
      ([id, { key, startedMs }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${dateOf(startedMs)}</Initiated></Upload>`,
    );
  return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join('')}</ListMultipartUploadsResult>`;
}

/** Pages of three, so that a client that reads the first page only is caught. */
function listObjects(bucket: Bucket, query: URLSearchParams): string {
  const after = query.get('continuation-token') ?? '';
  const prefix = query.get('prefix') ?? '';
  const keys = [...bucket.objects.keys()]
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort();
  const page = keys.slice(0, 3);
  const more = keys.length > 3;
  const contents = page.map((key) => {
    const { body, etag, modifiedMs } = bucket.objects.get(key)!;
    return `<Contents><Key>${key}</Key><LastModified>${dateOf(modifiedMs)}</LastModified><ETag>${etag}</ETag><Size>${body.length}</Size></Contents>`;
  });
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
}

function fail(response: ServerResponse, status: number, code: string, nowMs: number): void {
  response.writeHead(status, {
    'content-type': 'application/xml',
    date: new Date(nowMs).toUTCString(),
  });
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  );
}
