import type { Intent } from '../../src/bots/conversation/intent.js';
import {
  decodeIntent,
  encodedIntentMaxBytes,
  encodeIntent,
} from '../../src/bots/conversation/intent-codec.js';
import { parseText, presetOfCaption } from '../../src/bots/conversation/parse-text.js';
import { methodNames } from '../../src/studio/ports/gateway.js';

const photoId = 'ph_0123456789abcdefghijklmnop012';
const lookId = 'lk_0123456789abcdefghij';

const buttons: Intent[] = [
  { kind: 'help' },
  { kind: 'buy' },
  { kind: 'buyPack', pack: 'ten' },
  { kind: 'buyPack', pack: 'ten', method: 'alipay' },
  { kind: 'history' },
  { kind: 'setPreset', preset: 'portrait' },
  { kind: 'language' },
  { kind: 'language', language: 'zh-CN' },
  { kind: 'delete' },
  { kind: 'delete', photoId },
  { kind: 'deleteAll', confirmed: false },
  { kind: 'deleteAll', confirmed: true },
  { kind: 'showPhoto', photoId },
  { kind: 'hd', photoId },
  { kind: 'hd', photoId, method: 'wechatpay' },
  { kind: 'hdAlbum', albumId: 'tg-13579', method: 'stars' },
  { kind: 'oneByOne', albumId: 'tg-13579', from: 16 },
  { kind: 'zip', albumId: 'tg-13579' },
  { kind: 'variants', photoId },
  { kind: 'pick', photoId, lookId },
  { kind: 'adjust', photoId },
  { kind: 'setFinishing', photoId, change: 'warmer' },
  { kind: 'refreshOrder', orderId: 'or_1' },
  { kind: 'cancelOrder', orderId: 'or_1' },
  { kind: 'receipt', orderId: 'or_1' },
];

test.each(buttons)('a button carries %j and brings it back', (intent) => {
  const text = encodeIntent(intent);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(encodedIntentMaxBytes);
  expect(decodeIntent(text)).toEqual(intent);
});

test.each([
  ['hd', 'ph_1'],
  ['ha', 'tg-1'],
  ['bp', 'ten'],
])('%s:%s by a way to pay that is none buys nothing', (code, subject) => {
  for (const method of ['epay', '', 'constructor', 'Alipay'])
    expect(decodeIntent(`${code}:${subject}:${method}`)).toBeUndefined();
  for (const method of methodNames)
    expect(decodeIntent(`${code}:${subject}:${method}`)).toMatchObject({ method });
});

test.each(['', 'xx', 'hd', 'pi:only', 'sf:ph_1:purple', 'la:fr', 'constructor', '__proto__:x'])(
  'a forged or old button %j is nobody’s wish',
  (text) => {
    expect(decodeIntent(text)).toBeUndefined();
  },
);

test('only the button that says yes deletes everything', () => {
  for (const text of ['da', 'da:', 'da:no', 'da:YES'])
    expect(decodeIntent(text)).toEqual({ kind: 'deleteAll', confirmed: false });
});

test('what no button carries is a fault of ours', () => {
  expect(() => encodeIntent({ kind: 'text', text: 'x' })).toThrow(RangeError);
  expect(() => encodeIntent({ kind: 'zip', albumId: 'x'.repeat(80) })).toThrow(RangeError);
});

test.each<[string, Intent]>([
  ['/start', { kind: 'start' }],
  ['/start@huancai_bot deep', { kind: 'start' }],
  ['/HELP', { kind: 'help' }],
  ['/link ABCD-1234', { kind: 'link', code: 'ABCD-1234' }],
  ['/link', { kind: 'link' }],
  ['/redeem ABCD2345', { kind: 'redeem', code: 'ABCD2345' }],
  ['/paysupport I paid twice', { kind: 'support', text: 'I paid twice' }],
  ['/nonsense', { kind: 'help' }],
  ['余额', { kind: 'credits' }],
  ['充值！', { kind: 'buy' }],
  [' 历史 ', { kind: 'history' }],
  ['设置', { kind: 'settings' }],
  ['删除', { kind: 'delete' }],
  ['取消', { kind: 'cancel' }],
  ['帮助？', { kind: 'help' }],
  ['客服', { kind: 'support' }],
  ['客服：我付了两次款', { kind: 'support', text: '我付了两次款' }],
  ['绑定 ABCD1234', { kind: 'link', code: 'ABCD1234' }],
  ['兑换ABCD2345', { kind: 'redeem', code: 'ABCD2345' }],
  ['2', { kind: 'choice', number: 2 }],
  ['２', { kind: 'choice', number: 2 }],
  ['1931', { kind: 'text', text: '1931' }],
  ['grandma in 1931', { kind: 'text', text: 'grandma in 1931' }],
  ['', { kind: 'text', text: '' }],
])('%j means %j', (text, intent) => {
  expect(parseText(text)).toEqual(intent);
});

test('a caption names the preset', () => {
  expect(presetOfCaption('老家的建筑')).toBe('building');
  expect(presetOfCaption('a Portrait of grandma')).toBe('portrait');
  expect(presetOfCaption('1931')).toBeUndefined();
  expect(presetOfCaption(undefined)).toBeUndefined();
});
