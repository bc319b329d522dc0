import { languages } from '../../src/cli/messages.js';
import { type ChatChannelId, chatChannelNames } from '../../src/studio/ports/basics.js';
import { methodNames, type PaymentMethod, paymentMethods } from '../../src/studio/ports/gateway.js';
import { missingTexts, textsOfChat, textsOfMethod } from '../support/table-texts.js';

/** Texts whose keys are made of a table's names: what one of them lacks in a language is named. */
test('every way to pay has its name, its words beside the code, and its lines of the doctor', () => {
  const texts = methodNames.flatMap((id) => textsOfMethod(id, paymentMethods[id]));
  expect(missingTexts(texts)).toEqual([]);
});

test('every chat has its name and the doctor’s word on what it needs', () => {
  expect(missingTexts(chatChannelNames.flatMap(textsOfChat))).toEqual([]);
});

test('one that is added is named with each text that it lacks', () => {
  const epay = textsOfMethod('epay' as PaymentMethod, paymentMethods.alipay);
  expect(epay).toHaveLength(7);
  const each = (keys: readonly string[]) =>
    keys.flatMap((key) => languages.map((language) => `${language}: ${key}`));
  expect(missingTexts(epay)).toEqual(each(epay));
  expect(missingTexts(epay)).toContain('zh-CN: doctor.payments.off.epay');
  const pager = textsOfChat('pager' as ChatChannelId);
  expect(missingTexts(pager)).toEqual(each(pager));
});
