import type { Logger, Messages } from '../../studio/ports/basics.js';
import type { PreCheckout, Studio } from '../../studio/ports/studio.js';
import type { TelegramCalls } from './telegram-client.js';
import type { TelegramUpdate } from './telegram-update.js';

/** Telegram waits no longer for the answer, ms. */
const answerMs = 10_000;

/** Whether a sale may go on: a plain no at once is better than one that Telegram lets hang. */
export async function answerPreCheckout(
  deps: {
    calls: TelegramCalls;
    studio: Pick<Studio, 'approvePreCheckout'>;
    messages: Messages;
    log: Logger;
  },
  query: NonNullable<TelegramUpdate['pre_checkout_query']>,
): Promise<void> {
  const { calls, studio, messages, log } = deps;
  const { id, invoice_payload, total_amount, currency } = query;
  let found: PreCheckout = 'over';
  try {
    found = await studio.approvePreCheckout(invoice_payload, total_amount, currency);
  } catch (error) {
    log.error('telegram.preCheckoutNotKnown', { err: error });
  }
  const ok = found === 'approved';
  try {
    const language = query.from.language_code?.startsWith('zh') ? 'zh-CN' : 'en';
    const why = found === 'bought' ? 'bought' : 'closed';
    const error_message = messages.text(`bots.order.${why}`, language);
    const answer = { pre_checkout_query_id: id, ok, ...(ok ? {} : { error_message }) };
    const options = { repeatable: true, deadlineMs: answerMs };
    await calls.call('answerPreCheckoutQuery', answer, options);
  } catch (error) {
    log.error('telegram.preCheckoutNotAnswered', { ok, err: error });
  }
}
