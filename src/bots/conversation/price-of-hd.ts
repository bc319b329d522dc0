import { paymentMethods } from '../../studio/ports/gateway.js';
import { type ConversationDeps, priceText, speak, type Talk } from './talk.js';

/** What HD costs here in money: by the first method this channel offers. */
export function hdPrice(
  deps: Pick<ConversationDeps, 'studio'>,
  talk: Pick<Talk, 'chat'>,
  photos = 1,
): string {
  const prices = deps.studio.prices();
  const [first] = deps.studio.methods(talk.chat.channel);
  return first && paymentMethods[first].currency === 'XTR'
    ? priceText(prices.hdStars * photos, 'XTR')
    : priceText(prices.hdAmountFen * photos, 'CNY');
}

/** What it costs this customer: credits where there are enough, since those are used first. */
export async function hdCost(
  deps: Pick<ConversationDeps, 'studio' | 'messages'>,
  talk: Pick<Talk, 'customer' | 'chat'>,
  photos = 1,
): Promise<string> {
  const needed = deps.studio.prices().hdCredits * photos;
  const { credits } = await deps.studio.profile(talk.customer.id);
  if (credits >= needed) return speak(deps, talk.customer)('inCredits', { credits: needed });
  return hdPrice(deps, talk, photos);
}
