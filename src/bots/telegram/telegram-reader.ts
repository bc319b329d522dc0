import type { Logger } from '../../studio/ports/basics.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { DoorAsks, Heard } from '../door.js';
import type { TelegramChats } from './telegram-chats.js';
import type { TelegramCalls } from './telegram-client.js';
import type { TelegramMoves } from './telegram-moves.js';
import { groupIdOf, type TelegramUpdate, type Understood, understand } from './telegram-update.js';

/** Reads updates for the chat bot; payments inside the chat go to the studio at once. */
export function createTelegramReader(deps: {
  studio: Pick<Studio, 'receiveNotification'>;
  calls: TelegramCalls;
  log: Logger;
  botName: () => string;
  chats: TelegramChats;
  moves: Pick<TelegramMoves, 'learn'>;
}): (update: TelegramUpdate, asks: DoorAsks) => Promise<Heard | undefined> {
  const { studio, calls, log, chats, moves } = deps;

  /** The studio verifies, records and settles; a repeat is harmless. */
  async function paid(what: Extract<Understood, { kind: 'paid' }>): Promise<void> {
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
    if (outcome !== 'accepted') log.error('telegram.paymentNotRecorded', { outcome });
  }

  /** The button stops spinning at once, whatever its wish takes. */
  async function release(callbackId: string): Promise<void> {
    const payload = { callback_query_id: callbackId };
    await calls.call('answerCallbackQuery', payload, { repeatable: true }).catch(() => {
      log.debug('telegram.callbackNotAnswered');
    });
  }

  return async (update, asks) => {
    const understood = understand(update, {
      ...{ chats, botName: deps.botName(), isDesk: asks.isDesk },
      joins: await joining(update, asks, chats),
    });
    switch (understood.kind) {
      case 'said': {
        const { callbackId, ...said } = understood.said;
        return callbackId ? { ...said, beside: () => release(callbackId) } : said;
      }
      case 'membership':
      case 'notice':
        return understood;
      case 'moved':
        await moves.learn(understood.from, understood.to);
        // The old group says that we left it.
        return { kind: 'membership', chatId: understood.from, gone: false };
      case 'paid':
        await paid(understood);
        return undefined;
      case 'nothing':
        return undefined;
    }
  };
}

/** Photos of an album come one by one, and in a group only the first names us. */
async function joining(
  { message }: TelegramUpdate,
  asks: DoorAsks,
  { idOf }: TelegramChats,
): Promise<boolean> {
  const groupId = message && groupIdOf(message);
  if (!groupId || message.chat.type === 'private') return false;
  const { sender_chat: sender = message.from } = message;
  const who = { chatId: idOf(message), userId: String(sender?.id) };
  const album = await asks.albumOf(who);
  return album !== undefined && (album.groupId === groupId || !album.closed);
}
