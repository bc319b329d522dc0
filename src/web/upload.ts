import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { StudioError, systemCodeOf } from '../studio/errors/base.js';
import { PhotoFileTooLarge, PhotoUnreadable } from '../studio/errors/photo.js';
import { DiskUnavailable } from '../studio/errors/storage.js';
import { InvalidRequest } from '../studio/errors/studio.js';
import { limits } from '../studio/limits.js';
import type { Clock } from '../studio/ports/basics.js';
import { steadyNow } from '../studio/steady-now.js';
import { ContentTypeUnsupported, FieldMissing, FieldUnknown, RequestMalformed } from './errors.js';

/** One received file with its form fields. The receiver removes the file when done. */
export interface Upload {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** Where uploads are kept while they arrive, and how large they may be. */
export interface UploadConfig {
  /** Half-done uploads lie here; the names are ours, never the sender's. */
  readonly dir: string;
  readonly limitBytes: number;
}

/**
 * Stream the multipart field `photo` to disk, hashing on the way. Whatever goes wrong (too large,
 * cut off, disk full), nothing stays behind.
 * @throws {PhotoFileTooLarge | PhotoUnreadable | DiskUnavailable | InvalidRequest}
 */
export async function receiveUpload(
  request: FastifyRequest,
  config: UploadConfig,
): Promise<Upload> {
  refuseDeclaredSize(request, config.limitBytes);
  const fields: Record<string, string> = {};
  let received: { file: string; sha256: string; bytes: number } | undefined;
  try {
    const parts = request.parts({
      limits: { fileSize: config.limitBytes, files: 1, fields: 16, fieldSize: 1_000 },
    });
    for await (const part of parts) {
      if (part.type === 'field') fields[part.fieldname] = String(part.value);
      else if (part.fieldname === 'photo') received = await storePart(part, config);
      else throw new FieldUnknown(part.fieldname.slice(0, 40));
    }
    if (!received) throw new FieldMissing('photo');
    if (received.bytes === 0) throw new PhotoUnreadable('the file is empty', undefined, 'empty');
    return { ...received, fields };
  } catch (error) {
    if (received) await rm(received.file, { force: true });
    const refusal = toUploadError(error, config);
    if (!(refusal instanceof PhotoFileTooLarge)) await hearOut(request, config.limitBytes);
    throw refusal;
  }
}

/** Believe a Content-Length that admits being too large; a smaller one is still counted. */
export function refuseDeclaredSize(request: FastifyRequest, limitBytes: number): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limitBytes + limits.web.bodyBytes) {
    throw new PhotoFileTooLarge(declared, limitBytes);
  }
}

/**
 * Read the rest of a body that is refused. A proxy that is still sending when we answer and close
 * calls that a bad gateway, and the visitor never learns the reason.
 */
export async function hearOut({ raw }: FastifyRequest, limitBytes: number): Promise<void> {
  if (raw.readableEnded || raw.destroyed) return;
  const enough = new AbortController();
  const late = AbortSignal.any([enough.signal, AbortSignal.timeout(limits.web.hearOutMs)]);
  let heardBytes = 0;
  raw.on('data', (chunk: Buffer) => {
    heardBytes += chunk.length;
    if (heardBytes > limitBytes) enough.abort();
  });
  raw.resume();
  // Cut off, too long or too slow: then the answer comes in between.
  await once(raw, 'end', { signal: late }).catch(() => {});
}

/** Remove what killed processes left half done; those of processes at work stay. */
export async function removeStaleUploads(dir: string, clock: Clock): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(dir)) {
    const file = path.join(dir, name);
    const found = await stat(file).catch(() => undefined);
    const old = found !== undefined && steadyNow(clock) - found.mtimeMs > limits.web.staleUploadMs;
    if (old || !isAlive(Number.parseInt(name, 10))) await rm(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: alive, another user's.
    return systemCodeOf(error) === 'EPERM';
  }
}

async function storePart(part: MultipartFile, config: UploadConfig) {
  await mkdir(config.dir, { recursive: true, mode: 0o700 });
  const file = path.join(config.dir, `${process.pid}-${randomBytes(16).toString('hex')}.part`);
  const hash = createHash('sha256');
  let bytes = 0;
  const source = part.file as Readable;
  source.once('limit', () => {
    source.destroy(new PhotoFileTooLarge(config.limitBytes + 1, config.limitBytes));
  });
  try {
    await pipeline(
      source,
      async function* count(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    );
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  return { file, sha256: hash.digest('hex'), bytes };
}

function toUploadError(error: unknown, config: UploadConfig): unknown {
  if (error instanceof StudioError) return error;
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return new PhotoFileTooLarge(config.limitBytes + 1, config.limitBytes);
  }
  if (code === 'FST_INVALID_MULTIPART_CONTENT_TYPE') {
    return new ContentTypeUnsupported('multipart/form-data');
  }
  if (code === 'FST_FILES_LIMIT') return new InvalidRequest('photo', '1', '> 1');
  if (code?.startsWith('FST_')) return new RequestMalformed(message);
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET') {
    return new PhotoUnreadable('the upload was cut off', error, 'cutOff');
  }
  if (code && syscall) return new DiskUnavailable(config.dir, code, error);
  // The form parser's complaints are plain errors without a code.
  return code === undefined && (error as Error).name === 'Error'
    ? new RequestMalformed(message)
    : error;
}
