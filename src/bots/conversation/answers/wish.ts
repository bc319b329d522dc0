import { isUnderWay } from '../../../studio/photo.js';
import { paymentMethods } from '../../../studio/ports/gateway.js';
import type { Intent } from '../intent.js';
import { wishesUnder } from '../parse-text.js';
import { hdPrice } from '../price-of-hd.js';
import type { Choice, Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  priceText,
  speak,
  type Talk,
} from '../talk.js';
import type { WishTopic } from '../wishes.js';
import { queueText } from './photos.js';
import { refund } from './refund.js';

/** Topics that a person may have to look at. */
const forPeople: ReadonlySet<WishTopic> = new Set<WishTopic>([
  ...(['complaint', 'human', 'notSatisfied', 'invoice'] as const),
]);

/** One of the common questions, answered in words. */
export async function wish(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  topic: WishTopic,
): Promise<Reply[]> {
  if (topic === 'whereFile') return whereFile(deps, talk);
  const say = speak(deps, talk.customer);
  const text = say(`wish.${topic}`, params(deps, config, talk));
  const more = await added(deps, config, talk, topic);
  return [answer(talk, [text, ...more].join('\n'), choicesOf(say, topic))];
}

/** What is asked for under photos, beside their style. */
export async function captionWishes(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  photos: Extract<Intent, { kind: 'photos' }>,
): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const [i, asked] of wishesUnder(photos).entries()) {
    const own = { ...talk, key: `${talk.key}:wish${i}` };
    const isRefund = asked.kind === 'refund';
    const given = isRefund
      ? refund(deps, config, own, undefined)
      : wish(deps, config, own, asked.topic);
    replies.push(...(await given));
  }
  return replies;
}

/** Numbers and addresses that the texts may name. */
function params(deps: ConversationDeps, config: ConversationConfig, talk: Talk) {
  const { hdCredits, freePreviewsPerDay } = deps.studio.prices();
  const say = speak(deps, talk.customer);
  const methods = deps.studio.methods(talk.chat.channel).map((one) => say(`method.${one}`));
  const kept = config.retentionDays > 0 ? 'keptDays' : 'keptForever';
  return {
    price: hdPrice(deps, talk),
    credits: hdCredits,
    count: freePreviewsPerDay,
    methods: methods.join(', '),
    kept: say(`greeting.${kept}`, { days: config.retentionDays }),
    code: talk.customer.customerCode,
  };
}

/** What depends on the moment: packs beside the price, the place of a photo that waits. */
async function added(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  topic: WishTopic,
): Promise<string[]> {
  if (topic === 'price') return packLines(deps, talk);
  if (forPeople.has(topic) && !deps.operatorListens)
    return [speak(deps, talk.customer)('support.readLater')];
  if (topic === 'privacy' || topic === 'terms')
    return config.publicUrl ? [new URL('/', config.publicUrl).href] : [];
  if (topic !== 'howLong') return [];
  const [newest] = await deps.studio.photos(talk.customer.id, { limit: 1 });
  return newest && isUnderWay(newest.status) ? [queueText(deps, talk, newest)] : [];
}

function packLines(deps: ConversationDeps, talk: Talk): string[] {
  const [method] = deps.studio.methods(talk.chat.channel);
  if (!method) return [];
  const say = speak(deps, talk.customer);
  const inStars = paymentMethods[method].currency === 'XTR';
  const packs = deps.studio.prices().packs.filter((pack) => !inStars || pack.stars);
  return packs.map(({ credits, stars = 0, amountFen }) => {
    const price = inStars ? priceText(stars, 'XTR') : priceText(amountFen, 'CNY');
    return say('pack', { credits, price });
  });
}

type Say = ReturnType<typeof speak>;

function choicesOf(say: Say, topic: WishTopic): Choice[][] | undefined {
  const refund: Choice = { label: say('button.refund'), intent: { kind: 'refund' } };
  const support: Choice = { label: say('button.support'), intent: { kind: 'support' } };
  if (topic === 'notSatisfied') return [[refund, support]];
  if (forPeople.has(topic)) return [[support]];
  if (topic !== 'price' && topic !== 'payHow') return undefined;
  return [[{ label: say('button.buy'), intent: { kind: 'buy' } }]];
}

/** The newest photo as it stands: on its way, to be bought, or here again. */
async function whereFile(deps: ConversationDeps, talk: Talk): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const [newest] = await deps.studio.photos(talk.customer.id, { limit: 1 });
  if (!newest) return [answer(talk, say('history.none'))];
  const list: Choice = { label: say('button.photos'), intent: { kind: 'history' } };
  if (isUnderWay(newest.status))
    return [answer(talk, [say('wish.onItsWay'), queueText(deps, talk, newest)].join('\n'))];
  const photoId = newest.id;
  if (newest.unlocked) {
    const again: Choice = { label: say('button.hdAgain'), intent: { kind: 'hd', photoId } };
    return [answer(talk, say('wish.whereFile'), [[again, list]])];
  }
  const show: Choice = { label: say('button.newest'), intent: { kind: 'showPhoto', photoId } };
  return [answer(talk, say('wish.notBought'), [[show, list]])];
}
