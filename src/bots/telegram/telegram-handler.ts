import { CustomerUnreachable } from '../../studio/errors/index.js';
import type { Language, Logger } from '../../studio/ports/basics.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { Conversation } from '../conversation/conversation.js';
import type { IncomingPhoto, Intent } from '../conversation/intent.js';
import type { Talk } from '../conversation/talk.js';
import type { IncomingAlbum, IncomingAlbums } from '../incoming-albums.js';
import type { OperatorDesk } from '../operator-desk.js';
import type { ProgressFollower } from '../progress-follower.js';
import type { TelegramAlone } from './telegram-alone.js';
import type { TelegramCalls } from './telegram-client.js';
import type { TelegramSender } from './telegram-sender.js';
import { type Said, type TelegramUpdate, understand } from './telegram-update.js';

/** One album holds no more; what comes after it is the next. */
const albumMax = 50;

export interface TelegramHandlerDeps {
  readonly studio: Studio;
  readonly conversation: Conversation;
  readonly sender: TelegramSender;
  readonly calls: TelegramCalls;
  readonly alone: TelegramAlone;
  readonly desk: OperatorDesk;
  readonly progress: ProgressFollower;
  readonly log: Logger;
  readonly albums: () => IncomingAlbums;
  readonly botName: () => string;
}

/** Handles updates that are written down already; one chat's in order. */
export function createTelegramHandler(deps: TelegramHandlerDeps) {
  const { studio, conversation, sender, desk } = deps;

  async function handle(update: TelegramUpdate): Promise<void> {
    const understood = understand(update, {
      botName: deps.botName(),
      isDesk: (chatId) => desk.isDesk('telegram', chatId),
      joins: await joining(update),
    });
    switch (understood.kind) {
      case 'said':
        return heard(understood.said, String(update.update_id));
      case 'paid':
        return paid(understood);
      case 'membership':
        return sender.setBlocked(understood.chatId, understood.gone);
      case 'nothing':
        return;
    }
  }

  /** Photos of an album come one by one, and in a group only the first names us. */
  async function joining({ message }: TelegramUpdate): Promise<boolean> {
    if (!message?.media_group_id || message.chat.type === 'private') return false;
    const album = await deps.albums().current(String(message.chat.id));
    return album?.userId === String(message.from?.id);
  }

  async function heard(what: Said, key: string): Promise<void> {
    // Whoever speaks to us wants to hear from us again.
    await sender.setBlocked(what.chatId, false);
    try {
      await said(what, key);
    } catch (error) {
      if (!(error instanceof CustomerUnreachable)) throw error;
      deps.log.info('customer.unreachable', { channel: 'telegram', wish: what.intent.kind });
    }
  }

  async function said(what: Said, key: string): Promise<void> {
    const { chatId, intent } = what;
    if (what.text?.trim() === '/id') return sender.say(chatId, { key: `id:${key}`, text: chatId });
    if (desk.isDesk('telegram', chatId)) {
      const handled = await desk.handle({
        text: what.text ?? '',
        repliesTo: what.replyToMessageId === undefined ? undefined : String(what.replyToMessageId),
        key: `tg:${key}`,
      });
      if (handled) return;
    }
    if (intent.kind === 'photos' && (await collected(what, intent.photos[0]))) return;
    // The button stops spinning at once, whatever its wish takes.
    const spinning = what.callbackId ? release(what.callbackId) : undefined;
    const talk = await talkOf(what, key);
    await reply(chatId, talk, await conversation.answer(talk, intent));
    if (intent.kind === 'photos') deps.progress.follow(talk.customer.id, talk.chat);
    await spinning;
  }

  /**
   * Telegram cuts a selection into albums of ten, and the last photo may be alone: what comes
   * while an album is being collected belongs to it.
   * @returns false for a photo on its own.
   */
  async function collected(what: Said, photo: IncomingPhoto | undefined): Promise<boolean> {
    const { chatId, userId, isGroup, languageCode } = what;
    const open = await deps.albums().current(chatId);
    const joins = open?.userId === userId && open.photos.length < albumMax;
    const albumId = joins ? open.albumId : what.albumId;
    if (!photo || !albumId) return false;
    await deps.albums().add({ albumId, chatId, userId, isGroup, languageCode }, photo);
    return true;
  }

  async function release(callbackId: string): Promise<void> {
    const payload = { callback_query_id: callbackId };
    await deps.calls.call('answerCallbackQuery', payload, { repeatable: true }).catch(() => {
      deps.log.debug('telegram.callbackNotAnswered');
    });
  }

  async function albumDone(album: IncomingAlbum): Promise<void> {
    const talk = await talkOf(album, `album:${album.albumId}:${album.photos.length}`);
    const { albumId } = album;
    const intent = { kind: 'photos', photos: album.photos.map((one) => ({ ...one, albumId })) };
    await reply(album.chatId, talk, await conversation.answer(talk, intent as Intent));
    deps.progress.follow(talk.customer.id, talk.chat);
  }

  async function talkOf(
    who: Pick<Said, 'chatId' | 'userId' | 'isGroup' | 'languageCode'>,
    key: string,
  ): Promise<Talk> {
    // A private chat's id is the user's id: news that are nobody else's business go there.
    const alone = { channel: 'telegram' as const, chatId: who.userId };
    const language: Language = who.languageCode?.startsWith('zh') ? 'zh-CN' : 'en';
    const customer = await studio.identify(alone, who.userId, language);
    if (who.isGroup) await deps.alone.remember(customer.id, who.userId);
    const chat = who.isGroup ? { channel: 'telegram' as const, chatId: who.chatId } : alone;
    return { customer, chat, key };
  }

  async function reply(
    chatId: string,
    talk: Talk,
    replies: Awaited<ReturnType<Conversation['answer']>>,
  ): Promise<void> {
    for (const one of replies) {
      // Paid files never into a group.
      if (one.file) await deps.alone.say(chatId, talk.customer, [one]);
      else await sender.say(chatId, one);
    }
  }

  /** The studio verifies, records and settles; a repeat is harmless. */
  async function paid(what: Extract<ReturnType<typeof understand>, { kind: 'paid' }>) {
    const { payment, payerId, paidAtMs } = what;
    const body = JSON.stringify({
      payerId,
      invoicePayload: payment.invoice_payload,
      currency: payment.currency,
      totalAmount: payment.total_amount,
      chargeId: payment.telegram_payment_charge_id,
      paidAtMs,
    });
    const outcome = await studio.receiveNotification('stars', {
      headers: {},
      via: 'chat',
      body: Buffer.from(body),
    });
    // Polling the bot's star transactions settles it anyway.
    if (outcome !== 'accepted') deps.log.error('telegram.paymentNotRecorded', { outcome });
  }

  return { handle, albumDone };
}
