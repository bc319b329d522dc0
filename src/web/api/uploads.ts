import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StudioError } from '../../studio/errors/base.js';
import { PhotoFileTooLarge } from '../../studio/errors/photo.js';
import { DiskUnavailable } from '../../studio/errors/storage.js';
import { limits } from '../../studio/limits.js';
import type { PhotoAccepted } from '../api-types.js';
import { OffsetMismatch } from '../errors.js';
import { describe, ref } from '../openapi.js';
import { hearOut } from '../upload.js';
import { type ApiContext, enter } from './context.js';
import { partName } from './parts.js';
import { takePhoto } from './take-photo.js';

const params = {
  type: 'object',
  required: ['id'],
  properties: {
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: 'A number of your own for this upload: 32 random hex digits',
    },
  },
} as const;

interface Part {
  Params: { id: string };
  Querystring: Record<string, string> & { bytes: number };
  Headers: { 'upload-offset': number };
}

/** Answers to finished uploads that are remembered, for senders whose connection broke before them. */
const answersKept = 1_000;

/**
 * Uploads in parts, for connections that break: the sender asks how far it came and goes on there.
 * An upload is only a name until its first bytes arrive, so nothing is made that may be forgotten.
 */
export function uploadRoutes(app: FastifyInstance, api: ApiContext): void {
  const finished = new Map<string, { bytes: number; accepted: PhotoAccepted }>();
  // Bodies are streams here: nothing is parsed, nothing is kept in memory.
  app.addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body));

  app.get<{ Params: { id: string } }>(
    '/uploads/:id',
    {
      schema: describe('How much of an upload is here: the header Upload-Offset, bytes', {
        params,
        response: { 204: ref.empty },
      }),
    },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      const name = partName(customer.id, request.params.id);
      reply.header('upload-offset', finished.get(name)?.bytes ?? (await api.parts.heldBytes(name)));
      return reply.code(204).send();
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/uploads/:id',
    { schema: describe('Give up an upload', { params, response: { 204: ref.empty } }) },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      await api.parts.drop(partName(customer.id, request.params.id));
      return reply.code(204).send();
    },
  );

  app.patch<Part>(
    '/uploads/:id',
    {
      bodyLimit: api.config.uploadBytes,
      schema: partSchema,
      onRequest: async (request) => {
        // Parts of one photo count once.
        if (Number(request.headers['upload-offset']) > 0) return;
        await api.rates.upload(request).catch(async (refusal) => {
          await hearOut(request, api.config.uploadBytes);
          throw refusal;
        });
      },
    },
    (request, reply) => receive(api, finished, request, reply),
  );
}

const partSchema = describe(
  'Send a part of a photo, beginning where the upload ended: 204 until it is whole',
  {
    consumes: ['application/octet-stream'],
    params,
    querystring: {
      type: 'object',
      required: ['bytes'],
      properties: {
        bytes: { type: 'integer', minimum: 1, description: 'Size of the whole file' },
        preset: { type: 'string' },
        size: { type: 'string' },
        model: { type: 'string' },
        strength: { type: 'string' },
        warmth: { type: 'string' },
      },
    },
    headers: {
      type: 'object',
      required: ['upload-offset'],
      properties: { 'upload-offset': { type: 'integer', minimum: 0 } },
    },
    response: { 202: ref.one('PhotoAccepted'), 204: ref.empty },
    refusals: {
      409: 'The upload ends elsewhere: the header Upload-Offset says where',
      413: 'The file or the picture is too large',
      415: 'A format that is not read',
      422: 'Not a picture, or a damaged one',
      429: 'Too many uploads, or the free previews of today are used up',
      503: 'Too many photos wait, or the operator paused',
    },
  },
);

type Finished = Map<string, { bytes: number; accepted: PhotoAccepted }>;

async function receive(
  api: ApiContext,
  finished: Finished,
  request: FastifyRequest<Part>,
  reply: FastifyReply,
) {
  const visitor = await enter(api, request, reply);
  const { bytes, ...fields } = request.query;
  if (bytes > api.config.uploadBytes) throw new PhotoFileTooLarge(bytes, api.config.uploadBytes);
  const name = partName(visitor.customer.id, request.params.id);
  const known = finished.get(name);
  if (known) return accept(reply, known.accepted);
  const startBytes = Number(request.headers['upload-offset']);
  if (startBytes === 0) await makeRoom(api, visitor.customer.id, bytes);
  // A body of no length is none to the server.
  const body = (request.body as Readable | undefined) ?? Readable.from([]);
  const held = await api.parts.append(name, body, startBytes, bytes);
  if (held !== bytes) {
    const offsetBytes = held ?? (await api.parts.heldBytes(name));
    reply.header('upload-offset', offsetBytes);
    if (held === undefined) throw new OffsetMismatch(offsetBytes);
    return reply.code(204).send();
  }
  const file = api.parts.fileOf(name);
  try {
    const arrived = { file, sha256: await api.parts.digest(name), fields };
    const accepted = await takePhoto(api, visitor, arrived);
    finished.set(name, { bytes, accepted });
    if (finished.size > answersKept) finished.delete(finished.keys().next().value!);
    await api.parts.drop(name);
    return accept(reply, accepted);
  } catch (error) {
    // What may be taken later need not be sent again.
    if (!(error instanceof StudioError) || error.retry === 'never') await api.parts.drop(name);
    throw error;
  }
}

function accept(reply: FastifyReply, accepted: PhotoAccepted): PhotoAccepted {
  reply.code(202).header('location', `/api/v1/photos/${accepted.id}`);
  return accepted;
}

/** @throws {DiskUnavailable} */
async function makeRoom(api: ApiContext, customerId: string, bytes: number): Promise<void> {
  await api.parts.dropOldest(partName(customerId, ''), limits.web.partsPerCustomer - 1);
  const freeBytes = await api.blobs.freeBytes();
  if (freeBytes !== undefined && freeBytes < bytes + limits.web.spareBytes) {
    throw new DiskUnavailable('uploads', `${freeBytes} bytes free`);
  }
}
