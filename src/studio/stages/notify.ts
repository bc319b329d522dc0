import type { Context } from '../context.js';
import { current } from '../customers.js';
import { ChannelAway, CustomerUnreachable, NotFound, StudioError } from '../errors/index.js';
import type { ChatRef, CustomerEvent, Job } from '../jobs.js';
import type { ChannelId } from '../ports/basics.js';
import type { CustomerRecord } from '../records.js';
import { chronicle, line } from '../timeline.js';

/** Tell a customer something; survives a channel that is away. */
export async function notify(context: Context, job: Job<'notify'>): Promise<void> {
  const { customerId, key, event } = job.payload;
  const customer = await addressee(context, customerId);
  if (!customer || customer.erasedMs !== null) return;
  const chat = await chatOf(context, customer, event);
  if (!chat || chat.chatId === '') return;
  const channel = context.channels.get(chat.channel);
  if (!channel) throw away(context, chat.channel);
  try {
    const { id, language, code } = customer;
    await channel.notify(chat, { id, language, customerCode: code }, event, key);
    await delivered(context, job.key, event, key);
  } catch (error) {
    if (error instanceof StudioError) context.metrics.deliveryFailed(chat.channel, error.code);
    if (!(error instanceof CustomerUnreachable)) throw error;
    context.log.info('customer.unreachable', { customerId: customer.id, kind: event.kind });
  }
}

function away({ metrics }: Context, channel: ChannelId): ChannelAway {
  const error = new ChannelAway(channel);
  metrics.deliveryFailed(channel, error.code);
  return error;
}

async function addressee(context: Context, id: string): Promise<CustomerRecord | undefined> {
  try {
    return await current(context.store.read, id);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** News about a photo or order go where it came from; others where the customer was seen last. */
async function chatOf(
  { store }: Context,
  customer: CustomerRecord,
  event: CustomerEvent,
): Promise<ChatRef | undefined> {
  if ('photoId' in event) {
    const photo = await store.read.photos.find(event.photoId);
    // Deleted meanwhile: nothing to tell.
    return photo?.state === 'deleted' ? undefined : photo?.chat;
  }
  if ('orderId' in event) return (await store.read.orders.find(event.orderId))?.chat;
  const [latest] = await store.read.customers.identities(customer.id);
  return latest && { channel: latest.channel, chatId: latest.chatId };
}

async function delivered(
  context: Context,
  jobKey: string,
  event: CustomerEvent,
  key: string,
): Promise<void> {
  if (!('photoId' in event) || event.kind === 'photo.progress') return;
  const { photoId, kind } = event;
  await context.store.transaction(async (tables) => {
    const told = line(context, 'photo.told', { news: kind });
    await chronicle(tables, photoId, `told:${key}`, [told]);
    await tables.outbox.done([jobKey]);
  });
}
