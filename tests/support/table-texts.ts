import path from 'node:path';
import { createMessages, languages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';
import type { ChatChannelId } from '../../src/studio/ports/basics.js';
import type { PaymentMethod, paymentMethods } from '../../src/studio/ports/gateway.js';

type Traits = (typeof paymentMethods)[PaymentMethod];

const messages = createMessages(path.join(packageRoot, 'config', 'messages'));

/** Keys of all that is said of a way to pay. */
export function textsOfMethod(id: PaymentMethod, traits: Traits): string[] {
  const doctor = (line: string) => `doctor.payments.${line}.${id}`;
  const keys = [`bots.method.${id}`];
  if (traits.money !== 'ledger') keys.push(`bots.pay.${id}`, `bots.qr.${id}`);
  if (traits.money !== 'provider') return keys;
  keys.push(doctor('on'), doctor('off'), doctor('hidden'));
  return traits.notifies === 'http' ? [...keys, `${doctor('on')}Polled`] : keys;
}

/** Keys of all that is said of a chat. */
export function textsOfChat(id: ChatChannelId): string[] {
  return [`channel.name.${id}`, `doctor.channels.off.${id}`];
}

/** `zh-CN: bots.method.epay`: each text that a language has not. */
export function missingTexts(keys: readonly string[]): string[] {
  return keys.flatMap((key) =>
    languages
      .filter((language) => !messages.has(key, language))
      .map((language) => `${language}: ${key}`),
  );
}
