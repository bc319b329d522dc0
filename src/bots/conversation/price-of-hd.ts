import { type ConversationDeps, priceText, type Talk } from './talk.js';

/** What HD costs here: by the first method this channel offers. */
export function hdPrice(
  deps: Pick<ConversationDeps, 'studio'>,
  talk: Pick<Talk, 'chat'>,
  photos = 1,
): string {
  const prices = deps.studio.prices();
  const [first] = deps.studio.methods(talk.chat.channel);
  return first === 'stars'
    ? priceText(prices.hdStars * photos, 'XTR')
    : priceText(prices.hdAmountFen * photos, 'CNY');
}
