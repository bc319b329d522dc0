import type { FastifyInstance } from 'fastify';
import { BlobMissing } from '../../studio/errors/storage.js';
import { NotFound } from '../../studio/errors/studio.js';
import type { RenditionKind } from '../../studio/ports/blobs.js';
import type { PhotoView } from '../../studio/ports/studio.js';
import { sendBlob, sendThumbnail } from '../blob-reply.js';
import { NotReadyYet, PaymentRequired } from '../errors.js';
import { describe } from '../openapi.js';
import { thumbnailWidthsPx } from '../thumbnails.js';
import { type ApiContext, enter, type IdParams } from './context.js';

interface Rendition {
  readonly title: string;
  /** Offered as a file to keep, not shown in the page. */
  readonly download: boolean;
  /** The same for ever: always, for a named look, or never. What is chosen may change tomorrow. */
  readonly lasts: 'always' | 'look' | 'never';
  /** Can be asked for in smaller widths. */
  readonly smaller?: boolean;
  readonly refusals?: Readonly<Record<number, string>>;
}

/** Every rendition and its address, `/photos/:id/<kind>`; one that lacks a line does not compile. */
const renditions: Readonly<Record<RenditionKind, Rendition>> = {
  original: { title: 'The photo as it was sent', download: true, lasts: 'always' },
  preview: {
    title: 'The labelled preview; ?look= for another one than the chosen',
    download: false,
    lasts: 'look',
    smaller: true,
  },
  comparison: {
    title: 'Before and after in one picture',
    download: false,
    lasts: 'look',
    smaller: true,
  },
  sheet: { title: 'All looks in one numbered picture', download: false, lasts: 'never' },
  master: {
    title: 'The HD file; 402 until unlocked',
    download: true,
    lasts: 'never',
    refusals: { 402: 'Not unlocked yet' },
  },
  screen: {
    title: 'The HD file as large as a screen, without a watermark; 402 until unlocked',
    download: false,
    lasts: 'never',
    smaller: true,
    refusals: { 402: 'Not unlocked yet' },
  },
};

const refusals: Readonly<Record<number, string>> = {
  409: 'Not there yet: ask again in a moment',
  410: 'No longer kept',
};

const width = {
  w: { type: 'integer', enum: thumbnailWidthsPx, description: 'A smaller WebP of this width, px' },
} as const;

/** The picture files of a photo. */
export function renditionRoutes(app: FastifyInstance, api: ApiContext): void {
  for (const [kind, rendition] of Object.entries(renditions) as [RenditionKind, Rendition][]) {
    app.get<IdParams & { Querystring: { look?: string; w?: number } }>(
      `/photos/:id/${kind}`,
      {
        schema: describe(rendition.title, {
          querystring: {
            type: 'object',
            properties: {
              look: { type: 'string', maxLength: 64, description: 'Id of a look' },
              ...(rendition.smaller ? width : {}),
            },
          },
          refusals: { ...refusals, ...rendition.refusals },
          produces: ['image/jpeg', 'image/png', 'image/webp', 'image/tiff'],
        }),
      },
      async (request, reply) => {
        const { customer } = await enter(api, request, reply);
        const photo = await api.studio.photo(customer.id, request.params.id);
        const key = keyOf(photo, kind, request.query.look);
        const lasting = isLasting(rendition, request.query.look);
        if (rendition.smaller && request.query.w) {
          return sendThumbnail(reply, await api.thumbnails.get(key, request.query.w), lasting);
        }
        return sendBlob(reply, api.blobs, key, {
          lasting,
          downloadAs: rendition.download ? `huancai-${photo.id.slice(-8)}-${kind}` : undefined,
        });
      },
    );
  }
}

function isLasting({ lasts }: Rendition, lookId: string | undefined): boolean {
  return lasts === 'always' || (lasts === 'look' && lookId !== undefined);
}

/** @throws {PaymentRequired | NotReadyYet | NotFound | BlobMissing} */
function keyOf(photo: PhotoView, kind: RenditionKind, lookId?: string): string {
  const { originalKey, masterKey, screenKey, sheetKey, status } = photo;
  if (kind === 'original') return there(originalKey, kind, status !== 'received');
  if (kind === 'sheet') return there(sheetKey, kind, false);
  if (kind === 'master' || kind === 'screen') {
    if (!photo.unlocked && !masterKey) throw new PaymentRequired();
    return there(kind === 'master' ? masterKey : screenKey, kind, originalKey === undefined);
  }
  const chosen = lookId ?? photo.selectedLookId;
  const look =
    photo.looks.find((one) => one.id === chosen) ?? (lookId ? undefined : photo.looks[0]);
  if (lookId && !look) throw new NotFound('look');
  const keys = { preview: look?.previewKey, comparison: look?.comparisonKey };
  return there(keys[kind], kind, look?.state === 'ready');
}

/** @param made it was there once: its time is over. */
function there(key: string | undefined, what: string, made: boolean): string {
  if (key !== undefined) return key;
  throw made ? new BlobMissing(what) : new NotReadyYet(what);
}
