import type { Language, Messages } from '../../studio/ports/basics.js';
import type { TelegramCalls } from './telegram-client.js';

const commands = [
  'start',
  'help',
  'credits',
  'buy',
  'history',
  'settings',
  'link',
  'delete',
  'paysupport',
  'cancel',
] as const;

/** Telegram's codes; the entry without a code is for everybody else. */
const languages: readonly { readonly code?: string; readonly language: Language }[] = [
  { language: 'en' },
  { code: 'zh', language: 'zh-CN' },
];

/** Register commands and descriptions in both languages. Repeats change nothing. */
export async function introduce(calls: TelegramCalls, messages: Messages): Promise<void> {
  for (const { code, language } of languages) {
    const where = code ? { language_code: code } : {};
    const text = (key: string) => messages.text(`bots.profile.${key}`, language);
    const list = commands.map((command) => ({ command, description: text(`command.${command}`) }));
    const set = (method: string, payload: object) =>
      calls.call(method, { ...payload, ...where }, { repeatable: true });
    await set('setMyCommands', { commands: list });
    await set('setMyDescription', { description: text('description') });
    await set('setMyShortDescription', { short_description: text('short') });
  }
}
