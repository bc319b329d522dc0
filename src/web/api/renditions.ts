import type { FastifyInstance } from 'fastify';
import { BlobMissing } from '../../studio/errors/storage.js';
import { NotFound } from '../../studio/errors/studio.js';
import type { PhotoView } from '../../studio/ports/studio.js';
import { sendBlob } from '../blob-reply.js';
import { NotReadyYet, PaymentRequired } from '../errors.js';
import { describe } from '../openapi.js';
import { type ApiContext, enter, type IdParams } from './context.js';

const kinds = ['original', 'preview', 'comparison', 'sheet', 'master'] as const;
type Kind = (typeof kinds)[number];

const refusals: Readonly<Record<number, string>> = {
  409: 'Not there yet: ask again in a moment',
  410: 'No longer kept',
};

/** The picture files of a photo. */
export function renditionRoutes(app: FastifyInstance, api: ApiContext): void {
  for (const kind of kinds) {
    app.get<IdParams & { Querystring: { look?: string } }>(
      `/photos/:id/${kind}`,
      {
        schema: describe(titles[kind], {
          querystring: {
            type: 'object',
            properties: { look: { type: 'string', maxLength: 64, description: 'Id of a look' } },
          },
          refusals: kind === 'master' ? { ...refusals, 402: 'Not unlocked yet' } : refusals,
          produces: ['image/jpeg', 'image/png', 'image/webp', 'image/tiff'],
        }),
      },
      async (request, reply) => {
        const { customer } = await enter(api, request, reply);
        const photo = await api.studio.photo(customer.id, request.params.id);
        const key = keyOf(photo, kind, request.query.look);
        const download = kind === 'master' || kind === 'original';
        return sendBlob(reply, api.blobs, key, {
          lasting: isLasting(kind, request.query.look),
          downloadAs: download ? `huancai-${photo.id.slice(-8)}-${kind}` : undefined,
        });
      },
    );
  }
}

const titles: Record<Kind, string> = {
  original: 'The photo as it was sent',
  preview: 'The labelled preview; ?look= for another one than the chosen',
  comparison: 'Before and after in one picture',
  sheet: 'All looks in one numbered picture',
  master: 'The HD file; 402 until unlocked',
};

/** The chosen look, and with it master and sheet, may be another one tomorrow. */
function isLasting(kind: Kind, lookId: string | undefined): boolean {
  return kind === 'original' || (lookId !== undefined && kind !== 'master' && kind !== 'sheet');
}

/** @throws {PaymentRequired | NotReadyYet | NotFound | BlobMissing} */
function keyOf(photo: PhotoView, kind: Kind, lookId?: string): string {
  const { originalKey, masterKey, sheetKey, status } = photo;
  if (kind === 'original') return there(originalKey, kind, status !== 'received');
  if (kind === 'sheet') return there(sheetKey, kind, false);
  if (kind === 'master') {
    if (!photo.unlocked && !masterKey) throw new PaymentRequired();
    return there(masterKey, kind, originalKey === undefined);
  }
  const chosen = lookId ?? photo.selectedLookId;
  const look =
    photo.looks.find((one) => one.id === chosen) ?? (lookId ? undefined : photo.looks[0]);
  if (lookId && !look) throw new NotFound('look');
  const key = kind === 'preview' ? look?.previewKey : look?.comparisonKey;
  return there(key, kind, look?.state === 'ready');
}

/** @param made it was there once: its time is over. */
function there(key: string | undefined, what: string, made: boolean): string {
  if (key !== undefined) return key;
  throw made ? new BlobMissing(what) : new NotReadyYet(what);
}
