import { GatewayRefused, StudioError } from '../../../studio/errors/index.js';
import { type PaymentMethod, paymentMethods } from '../../../studio/ports/gateway.js';
import type { OrderView, PhotoView } from '../../../studio/ports/studio.js';
import { aboutPhoto } from '../about-photo.js';
import { albumPhotos } from '../albums.js';
import { masterFile } from '../master-file.js';
import type { Choice, Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  priceText,
  speak,
  type Talk,
  timeText,
} from '../talk.js';
import { inRows } from './general.js';

/** HD of one photo: with credits at once, else an order to pay. */
export async function hd(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  photoId: string,
  method: PaymentMethod | undefined,
): Promise<Reply[]> {
  const photo = await deps.studio.photo(talk.customer.id, photoId);
  if (photo.unlocked && photo.masterKey) {
    const file = await masterFile(deps, config, talk.customer, photo, `re:${talk.key}`);
    return [{ ...file, ...(await aboutPhoto(deps, talk, photo)) }];
  }
  return unlock(deps, config, talk, [photo], method, { kind: 'hd', photoId });
}

/** HD of all of an album that is ready and not bought yet. */
export async function hdAlbum(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  albumId: string,
  method: PaymentMethod | undefined,
): Promise<Reply[]> {
  const ready = (await albumPhotos(deps, talk, albumId)).filter((p) => p.status === 'ready');
  const say = speak(deps, talk.customer);
  if (ready.length === 0) return [answer(talk, say('album.gone'))];
  const photos = ready.filter((photo) => !photo.unlocked);
  if (photos.length === 0) {
    const choices = [[{ label: say('button.zip'), intent: { kind: 'zip', albumId } as const }]];
    return [answer(talk, say('album.masters', { count: ready.length }), choices)];
  }
  return unlock(deps, config, talk, photos, method, { kind: 'hdAlbum', albumId });
}

type Wish = { kind: 'hd'; photoId: string } | { kind: 'hdAlbum'; albumId: string };

async function unlock(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  photos: readonly PhotoView[],
  method: PaymentMethod | undefined,
  wish: Wish,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const methods = deps.studio.methods(talk.chat.channel);
  const needed = deps.studio.prices().hdCredits * photos.length;
  const { credits } = await deps.studio.profile(talk.customer.id);
  if (!method && credits < needed && methods.length > 1) {
    const choices = methods.map((one) => methodChoice(say, one, { ...wish, method: one }));
    return [answer(talk, say('pay.how', { count: photos.length }), inRows(choices, 2))];
  }
  const ids = photos.map((photo) => photo.id);
  const result = await deps.studio.unlock(talk.customer.id, ids, {
    key: `chat:${talk.key}`.slice(0, 128),
    method,
    chat: talk.chat,
  });
  if (result.status === 'unlocked')
    return [{ ...answer(talk, say('hd.working', { count: photos.length })), passing: true }];
  // Asked for again, an open order's code is shown again; what checkout tells meanwhile is said once.
  const key = result.again ? `re:${talk.key}` : undefined;
  return offer(deps, config, talk, result.order, key);
}

function methodChoice(
  say: (key: string) => string,
  method: PaymentMethod,
  intent: Choice['intent'],
): Choice {
  return { label: say(`method.${method}`), intent };
}

/**
 * The QR code and the ways to pay an order; nothing to show where the provider shows it itself.
 * @param key of the message; default: the one of news about the order.
 */
export async function offer(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Pick<Talk, 'customer' | 'chat'>,
  order: OrderView,
  key = `order:${order.id}`,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const params = {
    price: priceText(order.amountMinor, order.currency),
    minutes: Math.max(1, Math.round((order.expiresAtMs - deps.clock.now()) / 60_000)),
  };
  // A key of its own: the code that follows must not be taken for a repeat.
  if (order.state === 'created')
    return [{ key: `${key}:waiting`, text: say('pay.waiting', params) }];
  if (order.state !== 'pending') return [{ key, text: say(`order.${order.state}`, params) }];
  const url = payUrl(config, order);
  const choices: Choice[][] = [
    ...(url ? [[{ label: say('button.payPage'), url }]] : []),
    [
      { label: say('button.paid'), intent: { kind: 'refreshOrder', orderId: order.id } },
      { label: say('button.cancelOrder'), intent: { kind: 'cancelOrder', orderId: order.id } },
    ],
  ];
  if (!order.qr) return [{ key, text: say('pay.inChat', params), choices }];
  const bytes = await deps.qrPicture(order, talk.customer);
  const text = say(`pay.${order.method}`, params);
  return [{ key, text, picture: { bytes, name: 'pay.png' }, choices }];
}

/** A page that a phone can open: ours when we are reachable, else Alipay's own https code. */
function payUrl(config: ConversationConfig, order: OrderView): string | undefined {
  if (config.publicUrl) return new URL(order.payPath, config.publicUrl).href;
  return order.qr?.startsWith('https://') ? order.qr : undefined;
}

/** Credit packs and their prices. */
export async function packs(deps: ConversationDeps, talk: Talk): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const [method] = deps.studio.methods(talk.chat.channel);
  if (!method) return [answer(talk, say('pay.none'))];
  const inStars = paymentMethods[method].currency === 'XTR';
  const packs = deps.studio.prices().packs.filter((pack) => !inStars || pack.stars);
  const choices = packs.map((pack) => ({
    label: say('pack', {
      credits: pack.credits,
      price: inStars ? priceText(pack.stars ?? 0, 'XTR') : priceText(pack.amountFen, 'CNY'),
    }),
    intent: { kind: 'buyPack', pack: pack.id } as const,
  }));
  return [answer(talk, say('buy'), inRows(choices, 1))];
}

/** Buy a pack: which way to pay, then the code. */
export async function buyPack(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  pack: string,
  method: PaymentMethod | undefined,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const methods = deps.studio.methods(talk.chat.channel);
  if (!method && methods.length > 1) {
    const choices = methods.map((one) =>
      methodChoice(say, one, { kind: 'buyPack', pack, method: one }),
    );
    return [answer(talk, say('pay.howPack'), inRows(choices, 2))];
  }
  const chosen = method ?? methods[0];
  if (!chosen) return [answer(talk, say('pay.none'))];
  const order = await deps.studio.topUp(talk.customer.id, pack, {
    key: `chat:${talk.key}`.slice(0, 128),
    method: chosen,
    chat: talk.chat,
  });
  return offer(deps, config, talk, order);
}

/** "I have paid": ask the provider now. */
export async function refreshOrder(
  deps: ConversationDeps,
  talk: Talk,
  orderId: string,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  await deps.studio.order(talk.customer.id, orderId);
  try {
    await deps.studio.refreshOrder(orderId);
  } catch (error) {
    // The provider does not answer just now: polling goes on by itself.
    if (!(error instanceof StudioError) || error instanceof GatewayRefused) throw error;
  }
  const order = await deps.studio.order(talk.customer.id, orderId);
  return [answer(talk, say(`order.${order.state}`))];
}

/** Give an order up. */
export async function cancelOrder(
  deps: ConversationDeps,
  talk: Talk,
  orderId: string,
): Promise<Reply[]> {
  await deps.studio.cancelOrder(talk.customer.id, orderId);
  return [answer(talk, speak(deps, talk.customer)('cancelled.order'))];
}

/** What was paid, when and how. */
export async function receipt(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  orderId: string,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const given = await deps.studio.receipt(talk.customer.id, orderId);
  const lines = given.lines.map((line) => {
    const text = deps.messages.text(line.text, talk.customer.language);
    return `${text}  ${priceText(line.amountMinor, given.currency)}`;
  });
  const paid = timeText(config, given.paidAtMs);
  const method = say(`method.${given.method}`);
  return [answer(talk, [say('receipt', { order: orderId, paid, method }), ...lines].join('\n'))];
}

/** Money inside the chat is nothing that an order knows of: not taken, and both sides are told. */
export async function moneySent(
  deps: ConversationDeps,
  talk: Talk,
  what: 'transfer' | 'redPacket',
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const { customerCode: code } = talk.customer;
  await deps.askOperator(talk, say('wechat.moneySent', { code, what: say(`wechat.${what}`) }));
  return [answer(talk, say('wechat.moneyNotTaken'))];
}
