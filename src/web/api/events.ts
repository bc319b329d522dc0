import type { FastifyInstance } from 'fastify';
import { NotFound } from '../../studio/errors/studio.js';
import type { LiveEvent, OrderView, PhotoView } from '../../studio/ports/studio.js';
import type { LiveTopic } from '../live.js';
import { describe } from '../openapi.js';
import { orderJson, photoJson, type ViewContext } from '../views.js';
import { type ApiContext, enter, type IdParams } from './context.js';

const produces = ['text/event-stream'];
const waiting = new Set(['received', 'queued', 'restoring']);
const underWay = new Set(['created', 'pending', 'closing', 'paid']);
/** Told at every connection: a phone comes back from the payment app. */
const recentOrders = 10;

/** Live events of one photo, or of everything a customer has. */
export function eventRoutes(app: FastifyInstance, api: ApiContext): void {
  app.get<IdParams>(
    '/photos/:id/events',
    { schema: describe('Live: `photo` events with its newest state', { produces }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const { id } = request.params;
      const watched = createPhotoWatch(api, customer.id, view);
      watched.see(await api.studio.photo(customer.id, id));
      return api.live.open(request, reply, {
        customerId: customer.id,
        first: [watched.topic(id)],
        topicOf: (event) => (event.photoId === id ? watched.topic(id, event) : undefined),
        pending: watched.pending,
      });
    },
  );

  app.get(
    '/me/events',
    { schema: describe('Live: `photo`, `order` and `me` events', { produces }) },
    async (request, reply) => {
      const { customer, view } = await enter(api, request, reply);
      const me: LiveTopic = {
        event: 'me',
        key: 'me',
        read: () => api.studio.profile(customer.id),
      };
      const bought = createOrderWatch(api, customer.id, view);
      const orders = await api.studio.orders(customer.id, recentOrders);
      orders.forEach(bought.see);
      const watched = createPhotoWatch(api, customer.id, view);
      const recent = await api.studio.photos(customer.id, { limit: 30 });
      recent.forEach(watched.see);
      return api.live.open(request, reply, {
        customerId: customer.id,
        first: [
          me,
          ...recent.map((photo) => watched.topic(photo.id)),
          ...orders.map((order) => bought.topic(order.id)),
        ],
        topicOf: (event) => {
          if (event.photoId) return watched.topic(event.photoId, event);
          if (event.orderId) return bought.topic(event.orderId);
          return event.kind === 'credits' ? me : undefined;
        },
        pending: () => [...watched.pending(), ...bought.pending()],
      });
    },
  );
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
    read: async () => {
      const order = await api.studio.order(customerId, id);
      see(order);
      return orderJson(order, view);
    },
  });
  return { see, topic, pending: () => [...pendingIds].map(topic) };
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
    if (waiting.has(photo.status) || colouring || making) pendingIds.add(photo.id);
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
        if (!photo) return { id, status: 'deleted' };
        see(photo);
        const json = photoJson(photo, view);
        return { ...json, progress: json.progress ?? progress.get(id) };
      },
    };
  };
  return { see, topic, pending: () => [...pendingIds].map((id) => topic(id)) };
}
