import type { Language, Logger } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { Conversation } from '../conversation/conversation.js';
import type { Talk } from '../conversation/talk.js';
import type { IncomingAlbum, IncomingAlbums } from '../incoming-albums.js';
import type { OperatorDesk } from '../operator-desk.js';
import type { ProgressFollower } from '../progress-follower.js';
import type { TelegramCalls } from './telegram-client.js';
import type { TelegramSender } from './telegram-sender.js';
import { type Said, type TelegramUpdate, understand } from './telegram-update.js';

/** Where a customer of a group is talked to alone. */
export const privateChatState = 'privateChat';

export interface TelegramHandlerDeps {
  readonly studio: Studio;
  readonly conversation: Conversation;
  readonly sender: TelegramSender;
  readonly calls: TelegramCalls;
  readonly chatLog: ChatLog;
  readonly desk: OperatorDesk;
  readonly progress: ProgressFollower;
  readonly log: Logger;
  readonly albums: () => IncomingAlbums;
  readonly botName: () => string;
}

/** Handles updates that are written down already; one chat's in order. */
export function createTelegramHandler(deps: TelegramHandlerDeps) {
  const { studio, conversation, sender, chatLog, desk } = deps;

  async function handle(update: TelegramUpdate): Promise<void> {
    const understood = understand(update, deps.botName());
    switch (understood.kind) {
      case 'said':
        return said(understood.said, String(update.update_id));
      case 'paid':
        return paid(understood);
      case 'membership':
        return membership(understood.chatId, understood.gone);
      case 'nothing':
        return;
    }
  }

  async function said(what: Said, key: string): Promise<void> {
    const { chatId, intent } = what;
    if (desk.isDesk('telegram', chatId)) {
      const handled = await desk.handle({
        text: what.text ?? '',
        repliesTo: what.replyToMessageId === undefined ? undefined : String(what.replyToMessageId),
        key: `tg:${key}`,
      });
      if (handled) return;
    }
    if (intent.kind === 'photos' && what.albumId) {
      const [photo] = intent.photos;
      const { userId, isGroup, languageCode, albumId } = what;
      if (photo) await deps.albums().add({ albumId, chatId, userId, isGroup, languageCode }, photo);
      return;
    }
    // The button stops spinning at once, whatever its wish takes.
    const spinning = what.callbackId ? release(what.callbackId) : undefined;
    const talk = await talkOf(what, key);
    await reply(chatId, talk, await conversation.answer(talk, intent));
    if (intent.kind === 'photos') deps.progress.follow(talk.customer.id, talk.chat);
    await spinning;
  }

  async function release(callbackId: string): Promise<void> {
    const payload = { callback_query_id: callbackId };
    await deps.calls.call('answerCallbackQuery', payload, { repeatable: true }).catch(() => {
      deps.log.debug('telegram.callbackNotAnswered');
    });
  }

  async function albumDone(album: IncomingAlbum): Promise<void> {
    const talk = await talkOf(album, `album:${album.albumId}:${album.photos.length}`);
    const intent = { kind: 'photos', photos: album.photos } as const;
    await reply(album.chatId, talk, await conversation.answer(talk, intent));
  }

  async function talkOf(
    who: Pick<Said, 'chatId' | 'userId' | 'isGroup' | 'languageCode'>,
    key: string,
  ): Promise<Talk> {
    // A private chat's id is the user's id: news that are nobody else's business go there.
    const alone = { channel: 'telegram' as const, chatId: who.userId };
    const language: Language = who.languageCode?.startsWith('zh') ? 'zh-CN' : 'en';
    const customer = await studio.identify(alone, who.userId, language);
    if (who.isGroup) await chatLog.setState('telegram', customer.id, privateChatState, alone);
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
      const to = one.file ? talk.customer.id : undefined;
      const alone = to
        ? await chatLog.state<{ chatId: string }>('telegram', to, privateChatState)
        : undefined;
      await sender.say(alone?.chatId ?? chatId, one);
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

  async function membership(chatId: string, gone: boolean): Promise<void> {
    await chatLog.setState('telegram', chatId, 'blocked', gone ? true : undefined);
  }

  return { handle, albumDone };
}
