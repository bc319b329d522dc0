import path from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DiskUnavailable, PhotoFileTooLarge } from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import type { BlobKind } from '../../studio/ports/blobs.js';
import type { WebDeps } from '../dependencies.js';
import { UploadDamaged } from '../errors.js';
import { PartialUploads } from '../partial-uploads.js';

const kinds = '^(original|chroma|preview|comparison|sheet|master|zip)$';
const blobParams = {
  type: 'object',
  required: ['kind', 'sha256'],
  properties: {
    kind: { type: 'string', pattern: kinds },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  },
};
const uploadSchema = {
  hide: true,
  params: {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string', pattern: '^[0-9a-f]{32}$' } },
  },
  querystring: {
    ...blobParams,
    required: ['kind', 'sha256', 'bytes'],
    properties: { ...blobParams.properties, bytes: { type: 'integer', minimum: 0 } },
  },
  headers: {
    type: 'object',
    required: ['upload-offset'],
    properties: { 'upload-offset': { type: 'integer', minimum: 0 } },
  },
} as const;

type BlobRequest = FastifyRequest<{ Params: { kind: BlobKind; sha256: string } }>;
interface Upload {
  Params: { id: string };
  Querystring: { kind: BlobKind; sha256: string; bytes: number };
}

/**
 * Blobs for workers without a bucket: read whoever knows the name, write what the name says. There
 * is no list and no deletion: a stolen token does not open the archive.
 */
export function fleetBlobRoutes(
  app: FastifyInstance,
  { blobs, clock }: Pick<WebDeps, 'blobs' | 'clock'>,
  config: { readonly uploadDir: string },
): void {
  const uploads = new PartialUploads(clock, {
    dir: config.uploadDir,
    atOnce: limits.fleet.uploadsAtOnce,
    keepMs: limits.web.staleUploadMs,
  });
  // Bodies are streams here: nothing is parsed, nothing is kept in memory.
  app.addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body));

  app.get(
    '/blobs/:kind/:sha256',
    { schema: { hide: true, params: blobParams } },
    async ({ params }: BlobRequest, reply) => {
      const file = await blobs.localFile(`${params.kind}/${params.sha256}`);
      const options = { contentType: false, cacheControl: false, dotfiles: 'allow' } as const;
      reply.header('content-type', 'application/octet-stream').header('cache-control', 'no-store');
      return reply.sendFile(path.basename(file), path.dirname(file), options);
    },
  );

  app.get<{ Params: { id: string } }>(
    '/uploads/:id',
    { schema: { hide: true, params: uploadSchema.params } },
    async ({ params }, reply) => {
      reply.header('upload-offset', await uploads.heldBytes(params.id));
      return reply.code(204).send();
    },
  );

  app.patch<Upload>(
    '/uploads/:id',
    { schema: uploadSchema, bodyLimit: limits.fleet.blobBytes },
    (request, reply) => receive(request, reply),
  );

  async function receive(request: FastifyRequest<Upload>, reply: FastifyReply) {
    const { id } = request.params;
    const { kind, sha256, bytes } = request.query;
    if (bytes > limits.fleet.blobBytes) throw new PhotoFileTooLarge(bytes, limits.fleet.blobBytes);
    const freeBytes = await blobs.freeBytes();
    if (freeBytes !== undefined && freeBytes < bytes + limits.fleet.spareBytes)
      throw new DiskUnavailable('blobs', `${freeBytes} bytes free`);
    const start = Number(request.headers['upload-offset']);
    // A body of no length is none to the server.
    const body = (request.body as Readable | undefined) ?? Readable.from([]);
    const held = await uploads.append(id, body, start, bytes);
    if (held !== bytes) {
      reply.header('upload-offset', held ?? (await uploads.heldBytes(id)));
      return reply.code(409).send();
    }
    const found = await uploads.digest(id);
    if (found !== sha256) {
      await uploads.drop(id);
      throw new UploadDamaged(sha256, found);
    }
    const ref = await blobs.putFile(kind, uploads.fileOf(id));
    return reply.code(201).send(ref);
  }
}
