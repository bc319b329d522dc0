import path from 'node:path';
import { createMessages, languages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { chatChannelNames } from '../../src/studio/ports/basics.js';
import {
  gatewayIds,
  methodNames,
  paymentMethods,
  providerIds,
} from '../../src/studio/ports/gateway.js';

/** Texts whose keys are made of a table's names: what one of them lacks in a language is named. */
const messages = createMessages(path.join(packageRoot, 'config', 'messages'));

/** `zh-CN: bots.method.epay`: each text that is not there. */
function missing(keys: readonly string[]): string[] {
  return keys.flatMap((key) =>
    languages.filter((language) => !messages.has(key, language)).map((one) => `${one}: ${key}`),
  );
}

test('every chat has its name and the doctor’s word on what it needs', () => {
  expect(
    missing(chatChannelNames.flatMap((id) => [`channel.name.${id}`, `doctor.channels.off.${id}`])),
  ).toEqual([]);
});

test('every way to pay has its name, its words beside the code, and its lines of the doctor', () => {
  const polled = providerIds.filter((id) => paymentMethods[id].notifies === 'http');
  expect(
    missing([
      ...methodNames.map((id) => `bots.method.${id}`),
      ...gatewayIds.flatMap((id) => [`bots.pay.${id}`, `bots.qr.${id}`]),
      ...providerIds.flatMap((id) =>
        ['on', 'off', 'hidden'].map((line) => `doctor.payments.${line}.${id}`),
      ),
      ...polled.map((id) => `doctor.payments.on.${id}Polled`),
    ]),
  ).toEqual([]);
});
