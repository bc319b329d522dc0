import { rm } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { limits } from '../../studio/limits.js';
import type { Finishing } from '../../studio/ports/colorizer.js';
import { describe, ref } from '../openapi.js';
import { hearOut, receiveUpload, refuseDeclaredSize } from '../upload.js';
import { photoJson, timelineJson } from '../views.js';
import { type ApiContext, enter, type IdParams } from './context.js';
import { finishingBody } from './finishing-body.js';
import { takePhoto } from './take-photo.js';

/** Sending photos and everything that is done with one. */
export function photoRoutes(app: FastifyInstance, api: ApiContext): void {
  sendPhoto(app, api);

  app.get<{ Querystring: { limit?: number; before?: string } }>(
    '/photos',
    {
      schema: describe('List your photos, newest first', {
        querystring: {
          type: 'object',
          properties: {
            limit: { type: 'integer', minimum: 1, maximum: limits.web.photosPerPage, default: 30 },
            before: { type: 'string', maxLength: 64, description: 'Id of the last one seen' },
          },
        },
        response: { 200: { type: 'object', properties: { photos: ref.list('Photo') } } },
      }),
    },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const { limit = 30, before } = request.query;
      const photos = await api.studio.photos(customer.id, { limit, before });
      return { photos: photos.map((photo) => photoJson(photo, view)) };
    },
  );

  app.get<IdParams>(
    '/photos/:id',
    { schema: describe('One photo', { response: { 200: ref.one('Photo') } }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      return photoJson(await api.studio.photo(customer.id, request.params.id), view);
    },
  );

  app.get<IdParams>(
    '/photos/:id/timeline',
    {
      schema: describe('What happened to a photo, with times and causes', {
        response: { 200: { type: 'object', properties: { timeline: ref.list('TimelineEntry') } } },
      }),
    },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const entries = await api.studio.timeline(customer.id, request.params.id);
      return { timeline: entries.map((entry) => timelineJson(entry, view)) };
    },
  );

  app.delete<IdParams>(
    '/photos/:id',
    { schema: describe('Delete a photo and all its renditions', { response: { 204: ref.empty } }) },
    async (request, reply) => {
      const { customer } = await enter(api, request, reply);
      await api.studio.deletePhoto(customer.id, request.params.id);
      return reply.code(204).send();
    },
  );

  changePhoto(app, api);
}

const photoForm = {
  type: 'object',
  required: ['photo'],
  properties: {
    photo: { type: 'string', format: 'binary' },
    preset: { type: 'string' },
    size: {
      type: 'integer',
      minimum: limits.model.minSizePx,
      maximum: limits.model.maxSizePx,
      description: 'Input of the model, px',
    },
    model: { type: 'string', description: 'Id of an installed model' },
    strength: finishingBody.properties.strength,
    warmth: finishingBody.properties.warmth,
  },
} as const;

function sendPhoto(app: FastifyInstance, api: ApiContext): void {
  const { uploadDir: dir } = api.config;
  app.post(
    '/photos',
    {
      schema: describe('Send a photo; the same bytes again answer the same photo', {
        consumes: ['multipart/form-data'],
        response: { 202: ref.one('PhotoAccepted') },
        form: photoForm,
        refusals: {
          413: 'The file or the picture is too large',
          415: 'No multipart form, or a format that is not read',
          422: 'Not a picture, or a damaged one',
          429: 'Too many uploads, or the free previews of today are used up',
          503: 'Too many photos wait, or the operator paused',
        },
      }),
      // The body is read by the handler, as it arrives.
      onRequest: async (request, reply) => {
        refuseDeclaredSize(request, api.config.uploadBytes);
        try {
          await api.rates.upload(request);
          await enter(api, request, reply);
        } catch (refusal) {
          await hearOut(request, api.config.uploadBytes);
          throw refusal;
        }
      },
    },
    async (request, reply) => {
      const { customer, chat, view } = await enter(api, request, reply);
      const upload = await receiveUpload(request, { dir, limitBytes: api.config.uploadBytes });
      try {
        const accepted = await takePhoto(api, { customer, chat, view }, upload);
        reply.code(202).header('location', `/api/v1/photos/${accepted.id}`);
        return accepted;
      } finally {
        await rm(upload.file, { force: true });
      }
    },
  );
}

function changePhoto(app: FastifyInstance, api: ApiContext): void {
  app.post<IdParams & { Body: { count?: number } | undefined }>(
    '/photos/:id/variants',
    {
      schema: describe('Another look: other sizes and finishings to choose from', {
        body: {
          type: ['object', 'null'],
          properties: { count: { type: 'integer', minimum: 1, maximum: 4, default: 3 } },
        },
        response: { 202: ref.one('Photo') },
      }),
    },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const count = request.body?.count ?? 3;
      reply.code(202);
      return photoJson(await api.studio.addVariants(customer.id, request.params.id, count), view);
    },
  );

  app.post<IdParams & { Body: Finishing }>(
    '/photos/:id/adjust',
    {
      schema: describe('Other strength or warmth, from the same colours: takes a moment only', {
        body: finishingBody,
        response: { 202: ref.one('Photo') },
      }),
    },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      reply.code(202);
      return photoJson(await api.studio.adjust(customer.id, request.params.id, request.body), view);
    },
  );

  app.post<{ Params: { id: string; lookId: string } }>(
    '/photos/:id/looks/:lookId/select',
    { schema: describe('Choose the look for HD', { response: { 200: ref.one('Photo') } }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const { id, lookId } = request.params;
      return photoJson(await api.studio.selectLook(customer.id, id, lookId), view);
    },
  );

  app.post<IdParams & { Body: { visible: boolean; confirmed?: boolean } }>(
    '/photos/:id/label',
    {
      schema: describe('The HD file again, with the visible AI label or without; costs nothing', {
        body: {
          type: 'object',
          required: ['visible'],
          properties: {
            visible: { type: 'boolean' },
            confirmed: {
              type: 'boolean',
              description: 'I label the picture myself when I publish it; needed once',
            },
          },
        },
        response: { 202: ref.one('Photo') },
        refusals: { 409: 'Not unlocked, no longer kept, or not offered', 428: 'Not confirmed yet' },
      }),
    },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      reply.code(202);
      const { id } = request.params;
      return photoJson(await api.studio.chooseLabel(customer.id, id, request.body), view);
    },
  );

  app.post<IdParams>(
    '/photos/:id/cancel',
    { schema: describe('Take a photo out of the queue', { response: { 200: ref.one('Photo') } }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      return photoJson(await api.studio.cancelPhoto(customer.id, request.params.id), view);
    },
  );
}
