import type { FastifyInstance } from 'fastify';
import { NotFound } from '../../studio/errors/studio.js';
import { limits } from '../../studio/limits.js';
import { isUnderWay } from '../../studio/photo.js';
import type { PlaceInQueue } from '../../studio/ports/queue.js';
import type { Customer, LiveEvent, OrderView, PhotoView } from '../../studio/ports/studio.js';
import type * as Api from '../api-types.js';
import type { LiveRequest } from '../live.js';
import type { LiveTopic } from '../live-pulse.js';
import { describe } from '../openapi.js';
import { orderJson, photoJson, type ViewContext } from '../views.js';
import { nobodyId } from '../visitor.js';
import { type ApiContext, enter, type IdParams, profileOf } from './context.js';

const produces = ['text/event-stream'];
const underWay = new Set(['created', 'pending', 'closing', 'paid']);
/** Told at every connection: a phone comes back from the payment app. */
const recentOrders = 10;
const recentPhotos = 30;
/** Guesses that differ by less are the same guess. */
const etaShare = 0.2;

/** Live events of one photo, or of everything a customer has. */
export function eventRoutes(app: FastifyInstance, api: ApiContext): void {
  app.get<IdParams>(
    '/photos/:id/events',
    { schema: describe('Live: `photo` events with its newest state', { produces }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const { id } = request.params;
      const watched = createPhotoWatch(api, customer.id, view);
      // Another's photo is not there.
      await api.studio.photo(customer.id, id);
      return api.live.open(request, reply, {
        customerId: customer.id,
        first: async () => [watched.topic(id)],
        topicOf: (event) => (event.photoId === id ? watched.topic(id, event) : undefined),
        pending: watched.pending,
      });
    },
  );

  app.get(
    '/me/events',
    { schema: describe('Live: `photo`, `order` and `me` events', { produces }) },
    async (request, reply) => {
      const { customer, chat, view } = await enter(api, request, reply);
      const listens = everythingOf(api, view);
      if (customer.id !== nobodyId) return api.live.open(request, reply, listens(customer));
      return api.live.open(request, reply, {
        ...listens(customer),
        customerId: chat.chatId,
        next: async () => {
          const somebody = await api.studio.known(chat, chat.chatId);
          return somebody && listens(somebody);
        },
      });
    },
  );
}

function everythingOf(api: ApiContext, view: ViewContext) {
  return (customer: Customer): LiveRequest => {
    const me: LiveTopic = { event: 'me', key: 'me', read: () => profileOf(api, customer) };
    const bought = createOrderWatch(api, customer.id, view);
    const watched = createPhotoWatch(api, customer.id, view);
    return {
      customerId: customer.id,
      first: async () => {
        const orders = await api.studio.orders(customer.id, recentOrders);
        const photos = await api.studio.photos(customer.id, { limit: recentPhotos });
        return [me, ...photos.map(watched.known), ...orders.map(bought.known)];
      },
      topicOf: (event) => {
        if (event.photoId) return watched.topic(event.photoId, event);
        if (event.orderId) return bought.topic(event.orderId);
        return event.kind === 'credits' ? me : undefined;
      },
      pending: () => [...watched.pending(), ...bought.pending()],
    };
  };
}

/** Reads orders for a stream; those on their way are looked at again: another process may settle them. */
function createOrderWatch(api: ApiContext, customerId: string, view: ViewContext) {
  const pendingIds = new Set<string>();
  const see = ({ id, state }: OrderView): void => {
    if (underWay.has(state)) pendingIds.add(id);
    else pendingIds.delete(id);
  };
  const topic = (id: string): LiveTopic => ({
    event: 'order',
    key: id,
    read: async () => show(await api.studio.order(customerId, id)),
  });
  const show = (order: OrderView) => {
    see(order);
    return orderJson(order, view);
  };
  const known = (order: OrderView): LiveTopic => ({
    ...topic(order.id),
    read: async () => show(order),
  });
  return { topic, known, pending: () => newest(pendingIds).map(topic) };
}

/** What was shown, at its new place; undefined when a reader would not notice. */
function movedPhoto(last: Api.Photo, place: PlaceInQueue): Api.Photo | undefined {
  if (last.position === undefined) return undefined;
  const { position, etaSeconds, waitingFor } = place;
  const sameGuess = Math.abs(etaSeconds - (last.etaSeconds ?? 0)) <= etaSeconds * etaShare;
  if (position === last.position && waitingFor === last.waitingFor && sameGuess) return undefined;
  return { ...last, position, etaSeconds, waitingFor };
}

/** Ids sort by age. */
function newest(ids: ReadonlySet<string>): string[] {
  const all = [...ids];
  const most = limits.web.liveTopicsPerStream;
  return all.length > most ? all.sort().slice(-most) : all;
}

/** A photo that cannot be found any more was deleted, here or in another tab. */
function ifGone(error: unknown): undefined {
  if (!(error instanceof NotFound)) throw error;
}

/** Reads photos for a stream and remembers which of them still wait. */
function createPhotoWatch(api: ApiContext, customerId: string, view: ViewContext) {
  const pendingIds = new Set<string>();
  const progress = new Map<string, number>();
  const see = (photo: PhotoView): void => {
    const making = photo.unlocked && !photo.masterKey && photo.originalKey;
    const colouring = photo.looks.some((look) => look.state === 'waiting');
    if (isUnderWay(photo.status) || colouring || making) pendingIds.add(photo.id);
    else {
      pendingIds.delete(photo.id);
      progress.delete(photo.id);
    }
  };
  const topic = (id: string, event?: LiveEvent): LiveTopic => {
    if (event?.progress !== undefined) progress.set(id, event.progress);
    return {
      event: 'photo',
      key: id,
      read: async () => {
        const photo = await api.studio.photo(customerId, id).catch(ifGone);
        return photo ? show(photo) : { id, status: 'deleted' };
      },
      moved: (last, place) => movedPhoto(last as Api.Photo, place),
    };
  };
  const show = (photo: PhotoView) => {
    see(photo);
    const json = photoJson(photo, view);
    return { ...json, progress: json.progress ?? progress.get(photo.id) };
  };
  const known = (photo: PhotoView): LiveTopic => ({
    ...topic(photo.id),
    read: async () => show(photo),
  });
  return { topic, known, pending: () => newest(pendingIds).map((id) => topic(id)) };
}
