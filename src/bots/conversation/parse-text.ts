import type { Intent } from './intent.js';
import { type WishTopic, wishOf } from './wishes.js';

/** Plain words for commands: whoever does not know slashes says what they want. */
const words: Readonly<Record<string, Intent>> = {
  开始: { kind: 'start' },
  你好: { kind: 'start' },
  hello: { kind: 'start' },
  hi: { kind: 'start' },
  帮助: { kind: 'help' },
  help: { kind: 'help' },
  余额: { kind: 'credits' },
  点数: { kind: 'credits' },
  credits: { kind: 'credits' },
  balance: { kind: 'credits' },
  充值: { kind: 'buy' },
  购买: { kind: 'buy' },
  buy: { kind: 'buy' },
  历史: { kind: 'history' },
  记录: { kind: 'history' },
  history: { kind: 'history' },
  设置: { kind: 'settings' },
  settings: { kind: 'settings' },
  语言: { kind: 'language' },
  language: { kind: 'language' },
  绑定: { kind: 'link' },
  link: { kind: 'link' },
  删除: { kind: 'delete' },
  delete: { kind: 'delete' },
  取消: { kind: 'cancel' },
  cancel: { kind: 'cancel' },
  客服: { kind: 'support' },
  人工: { kind: 'support' },
  support: { kind: 'support' },
  去标识: { kind: 'label', want: 'without' },
  去掉标识: { kind: 'label', want: 'without' },
  去标签: { kind: 'label', want: 'without' },
  去掉标签: { kind: 'label', want: 'without' },
  不要标识: { kind: 'label', want: 'without' },
  不要标签: { kind: 'label', want: 'without' },
  不带标识: { kind: 'label', want: 'without' },
  无标识: { kind: 'label', want: 'without' },
  'without label': { kind: 'label', want: 'without' },
  'no label': { kind: 'label', want: 'without' },
  'remove label': { kind: 'label', want: 'without' },
  带标识: { kind: 'label', want: 'with' },
  'with label': { kind: 'label', want: 'with' },
};

const commands: Readonly<Record<string, (rest: string) => Intent>> = {
  start: () => ({ kind: 'start' }),
  help: () => ({ kind: 'help' }),
  credits: () => ({ kind: 'credits' }),
  buy: () => ({ kind: 'buy' }),
  history: () => ({ kind: 'history' }),
  settings: () => ({ kind: 'settings' }),
  language: () => ({ kind: 'language' }),
  link: (rest) => ({ kind: 'link', ...(rest ? { code: rest } : {}) }),
  redeem: (rest) => (rest ? { kind: 'redeem', code: rest } : { kind: 'help' }),
  claim: (rest) => (rest ? { kind: 'claim', code: rest } : { kind: 'help' }),
  delete: () => ({ kind: 'delete' }),
  paysupport: (rest) => ({ kind: 'support', ...(rest ? { text: rest } : {}) }),
  support: (rest) => ({ kind: 'support', ...(rest ? { text: rest } : {}) }),
  cancel: () => ({ kind: 'cancel' }),
  terms: () => ({ kind: 'wish', topic: 'terms' }),
  privacy: () => ({ kind: 'wish', topic: 'privacy' }),
  refund: (rest) => ({ kind: 'refund', ...(rest ? { orderId: rest } : {}) }),
};

/** The words above with something after them: 绑定 ABCD, 兑换 ABCD, 客服 我付了款... */
const prefixed: readonly (readonly [RegExp, (rest: string) => Intent])[] = [
  [/^(?:绑定|link)[\s:：]*([A-Z0-9-]{4,})$/i, (code) => ({ kind: 'link', code })],
  [/^(?:兑换|redeem)[\s:：]*([A-Z0-9-]{4,})$/i, (code) => ({ kind: 'redeem', code })],
  [
    /^(?:我的)?(?:客户码|我是|my code is)[\s:：是]*([A-Z0-9]{8})$/i,
    (code) => ({ kind: 'claim', code }),
  ],
  [/^(?:客服|人工|support)[\s:：，,]+(.+)$/is, (text) => ({ kind: 'support', text })],
];

/** Text of a private message, or of a group message without the mention. Never throws. */
export function parseText(given: string): Intent {
  const text = given.normalize('NFKC').trim();
  const command = /^\/([a-z]+)(?:@\w+)?(?:\s+([\s\S]+))?$/i.exec(text);
  if (command) {
    const known = commands[command[1]!.toLowerCase()];
    return known ? known(command[2]?.trim() ?? '') : { kind: 'help' };
  }
  if (/^\d{1,2}$/.test(text)) return { kind: 'choice', number: Number(text) };
  const word = words[text.toLowerCase().replace(/[!.?！。？~～]+$/, '')];
  if (word) return word;
  for (const [pattern, make] of prefixed) {
    const rest = pattern.exec(text)?.[1];
    if (rest) return make(rest.trim());
  }
  const wish = wishOf(text);
  if (wish === 'refund') return { kind: 'refund', text };
  return wish ? { kind: 'wish', topic: wish, text } : { kind: 'text', text };
}

/** Common questions written under photos, each once; thanks and goodbyes need no answer there. */
export function wishesUnder({
  photos,
}: Extract<Intent, { kind: 'photos' }>): Extract<Intent, { kind: 'wish' | 'refund' }>[] {
  const asked = new Map<string, Extract<Intent, { kind: 'wish' | 'refund' }>>();
  for (const { caption = '' } of photos) {
    const intent = parseText(caption);
    if (intent.kind === 'refund') asked.set('refund', { kind: 'refund' });
    if (intent.kind !== 'wish' || politeWishes.has(intent.topic)) continue;
    asked.set(intent.topic, intent);
  }
  return [...asked.values()];
}

/** A photo is answered anyway. */
const politeWishes: ReadonlySet<WishTopic> = new Set<WishTopic>(['thanks', 'goodbye', 'howTo']);

const presetWords: readonly (readonly [RegExp, string])[] = [
  [/建筑|街景|房|building|architecture|street|house/i, 'building'],
  [/人像|人物|肖像|合影|全家福|portrait|people|family|face/i, 'portrait'],
];

/** A caption may name the preset: "建筑", "a portrait of grandma". */
export function presetOfCaption(caption: string | undefined): string | undefined {
  if (!caption) return undefined;
  return presetWords.find(([pattern]) => pattern.test(caption))?.[1];
}
