import { CustomerUnreachable } from '../../studio/errors/index.js';
import type { Language, Logger } from '../../studio/ports/basics.js';
import type { Studio } from '../../studio/ports/studio.js';
import { type IncomingAlbum, photosIntent } from '../album-rules.js';
import type { Conversation } from '../conversation/conversation.js';
import type { IncomingPhoto } from '../conversation/intent.js';
import type { Talk } from '../conversation/talk.js';
import type { IncomingAlbums } from '../incoming-albums.js';
import type { OperatorDesk } from '../operator-desk.js';
import type { ProgressFollower } from '../progress-follower.js';
import type { Turns } from '../turns.js';
import type { TelegramAlone } from './telegram-alone.js';
import type { TelegramCalls } from './telegram-client.js';
import type { TelegramSender } from './telegram-sender.js';
import { groupIdOf, type Said, type TelegramUpdate, understand } from './telegram-update.js';

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
  /** News of one chat are told one after the other. */
  readonly news: Turns;
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
    const groupId = message && groupIdOf(message);
    if (!groupId || message.chat.type === 'private') return false;
    const who = { chatId: String(message.chat.id), userId: String(message.from?.id) };
    const album = await deps.albums().current({ ...who, isGroup: true });
    return album !== undefined && (album.groupId === groupId || !album.closed);
  }

  async function heard(what: Said, key: string): Promise<void> {
    // Whoever speaks to us wants to hear from us again.
    await sender.setBlocked(what.chatId, false);
    await reachable(what.intent.kind, () => said(what, key));
  }

  /** Whoever blocked us is no fault. */
  async function reachable(wish: string, talk: () => Promise<void>): Promise<void> {
    try {
      await talk();
    } catch (error) {
      if (!(error instanceof CustomerUnreachable)) throw error;
      deps.log.info('customer.unreachable', { channel: 'telegram', wish });
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
    const photo = intent.kind === 'photos' ? intent.photos[0] : undefined;
    if (photo) return collect(what, photo);
    // The button stops spinning at once, whatever its wish takes.
    const spinning = what.callbackId ? release(what.callbackId) : undefined;
    const talk = await talkOf(what, key);
    await reply(chatId, talk, await conversation.answer(talk, intent));
    await spinning;
  }

  /** Telegram cuts a selection into albums of ten: what belongs together is found out first. */
  async function collect(what: Said, photo: IncomingPhoto): Promise<void> {
    const { chatId, userId, isGroup, languageCode, sentMs = 0, groupId } = what;
    const arrival = { photo, sentMs, ...(groupId ? { groupId } : {}) };
    await deps.albums().add({ chatId, userId, isGroup, languageCode }, arrival);
  }

  async function release(callbackId: string): Promise<void> {
    const payload = { callback_query_id: callbackId };
    await deps.calls.call('answerCallbackQuery', payload, { repeatable: true }).catch(() => {
      deps.log.debug('telegram.callbackNotAnswered');
    });
  }

  async function photos(album: IncomingAlbum): Promise<void> {
    const { key, intent } = photosIntent(album);
    const talk = await talkOf(album, key);
    await reachable('photos', async () =>
      reply(album.chatId, talk, await conversation.answer(talk, intent)),
    );
    deps.progress.follow(talk.customer.id, talk.chat);
  }

  async function albumClosed(album: IncomingAlbum): Promise<void> {
    const talk = await talkOf(album, `closed:${album.albumId}`);
    const tell = async () =>
      reply(album.chatId, talk, await conversation.albumClosed(talk, album.albumId));
    await deps.news.take(album.chatId, () => reachable('album', tell));
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

  return { handle, albums: { photos, closed: albumClosed } };
}
