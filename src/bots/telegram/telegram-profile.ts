import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf } from '../../studio/errors/index.js';
import type { Language, Logger, Messages } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
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
  'refund',
  'terms',
  'privacy',
  'cancel',
] as const;

/** Telegram's codes; the entry without a code is for everybody else. */
const languages: readonly { readonly code?: string; readonly language: Language }[] = [
  { language: 'en' },
  { code: 'zh', language: 'zh-CN' },
];

const firstPauseMs = 10_000;
const pauseMaxMs = 3_600_000;

/** One of the calls that a profile consists of. */
interface ProfileCall {
  readonly method: string;
  readonly payload: object;
}

/**
 * Register commands and descriptions in both languages: beside everything else, because Telegram
 * limits these calls for hours, and once per text. What was registered is remembered; what is
 * refused is tried again after growing pauses.
 * @param botId another bot has another profile.
 */
export async function introduce(
  deps: { calls: TelegramCalls; messages: Messages; chatLog: ChatLog; log: Logger },
  botId: number,
  signal: AbortSignal,
): Promise<void> {
  let left = profileCalls(deps.messages);
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, pauseMaxMs)) {
    const failed: ProfileCall[] = [];
    let restMs = pauseMs;
    for (const one of left) {
      if (signal.aborted) return;
      try {
        await registerOnce(deps, botId, one);
      } catch (error) {
        failed.push(one);
        restMs = Math.max(restMs, (error as { retryAfterMs?: number }).retryAfterMs ?? 0);
        deps.log.warn('telegram.notIntroduced', { method: one.method, code: codeOf(error) });
      }
    }
    if (failed.length === 0) return;
    left = failed;
    await wait(restMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

async function registerOnce(
  { calls, chatLog }: { calls: TelegramCalls; chatLog: ChatLog },
  botId: number,
  { method, payload }: ProfileCall,
): Promise<void> {
  const { language_code: code = 'any' } = payload as { language_code?: string };
  const [key, name] = [`bot:${botId}`, `profile:${method}:${code}`];
  const version = createHash('sha256').update(JSON.stringify(payload)).digest('hex').slice(0, 16);
  if ((await chatLog.state<string>('telegram', key, name)) === version) return;
  await calls.call(method, payload, { attempts: 1 });
  await chatLog.setState('telegram', key, name, version);
}

function profileCalls(messages: Messages): readonly ProfileCall[] {
  return languages.flatMap(({ code, language }) => {
    const where = code ? { language_code: code } : {};
    const text = (key: string) => messages.text(`bots.profile.${key}`, language);
    const list = commands.map((command) => ({ command, description: text(`command.${command}`) }));
    return [
      { method: 'setMyCommands', payload: { commands: list, ...where } },
      { method: 'setMyDescription', payload: { description: text('description'), ...where } },
      {
        method: 'setMyShortDescription',
        payload: { short_description: text('short'), ...where },
      },
    ];
  });
}
