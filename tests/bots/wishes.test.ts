import path from 'node:path';
import { parseText, wishesUnder } from '../../src/bots/conversation/parse-text.js';
import { type WishTopic, wishTopics } from '../../src/bots/conversation/wishes.js';
import { createMessages, languages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';

const topicOf = (text: string) => {
  const intent = parseText(text);
  return intent.kind === 'wish' ? intent.topic : intent.kind;
};

/** As people write it, both languages. */
const said: readonly (readonly [WishTopic | 'refund', readonly string[]])[] = [
  [
    'refund',
    ['refund', 'I want a refund!', '退款', '我要退款', 'give me my money back', '退钱给我'],
  ],
  ['price', ['多少钱', '多少钱？', 'how much?', 'what does it cost', 'price', '怎么收费']],
  ['free', ['is it free?', '免费吗']],
  ['payHow', ['how can I pay?', '怎么付款', 'do you take paypal', '支付宝可以吗']],
  ['thanks', ['谢谢', 'thank you so much', 'Thanks!', '太好了']],
  ['howLong', ['how long does it take?', '要多久', 'is it ready', '好了吗']],
  ['privacy', ['privacy', '隐私', 'who can see my photos?', '照片会泄露吗']],
  ['complaint', ['this is a scam', '我要投诉', '骗子']],
  ['human', ['I want to talk to a human', '转人工', 'customer service please', '有人吗']],
  ['notSatisfied', ['I am not satisfied', '不满意', 'the colours are wrong', '颜色不对']],
  ['repair', ['can you fix scratches?', '能修复划痕吗', 'the photo is torn', '照片有点模糊']],
  ['video', ['do you do videos?', '可以做视频吗', 'can you animate it']],
  ['whereFile', ['where is my file?', '我的照片在哪', 'I paid but got nothing', '没收到高清']],
  ['quality', ['what resolution is it?', '可以冲印吗']],
  ['watermark', ['remove the watermark', '能去水印吗']],
  ['formats', ['which formats?', '支持什么格式']],
  ['several', ['can I send many photos', '可以批量吗']],
  ['accuracy', ['are these the real colors?', '颜色真实吗']],
  ['robot', ['are you a bot', '你是机器人吗']],
  ['howTo', ['help me', '怎么用', 'how does it work?']],
  ['invoice', ['I need an invoice', '能开发票吗']],
  ['terms', ['/terms', '版权是谁的']],
  ['goodbye', ['ok', '好的', 'bye']],
];

test.each(said.flatMap(([topic, texts]) => texts.map((text) => [text, topic] as const)))(
  '“%s” is about %s',
  (text, topic) => expect(topicOf(text)).toBe(topic),
);

test.each(['blah', 'grandma 1950', '奶奶', 'my uncle Bob in front of our barn', 'Shanghai, 1936'])(
  '“%s” asks for nothing',
  (text) => expect(topicOf(text)).toBe('text'),
);

test('a long story is for a person', () => {
  expect(topicOf(`The price of freedom. ${'So it went on. '.repeat(20)}`)).toBe('text');
});

test('every topic has its answer in both languages', () => {
  const messages = createMessages(path.join(packageRoot, 'config', 'messages'));
  const missing = wishTopics.flatMap((topic) =>
    languages.filter((language) => !messages.has(`bots.wish.${topic}`, language)),
  );
  expect(missing).toEqual([]);
});

test('a question under a photo is heard once; a style or a thank you is none', () => {
  const photo = { fileRef: 'f', key: 'k', compressed: true };
  const under = (...captions: string[]) =>
    wishesUnder({ kind: 'photos', photos: captions.map((caption) => ({ ...photo, caption })) });
  expect(under('how much?', 'a portrait of grandma', 'How much')).toMatchObject([
    { topic: 'price' },
  ]);
  expect(under('refund please')).toEqual([{ kind: 'refund' }]);
  expect(under('thanks', '建筑', '')).toEqual([]);
});
