import type { Intent } from '../intent.js';
import { hdPrice } from '../price-of-hd.js';
import type { Choice, Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  languageChosen,
  speak,
  type Talk,
  timeText,
} from '../talk.js';

const historyLength = 8;

/** Greeting: what it does, what is free, what HD costs, how photos are kept. */
export function greet(deps: ConversationDeps, config: ConversationConfig, talk: Talk): Reply[] {
  const say = speak(deps, talk.customer);
  const prices = deps.studio.prices();
  const kept = config.retentionDays > 0 ? 'keptDays' : 'keptForever';
  const text = [
    say('greeting.what'),
    say('greeting.free', { count: prices.freePreviewsPerDay }),
    say('greeting.price', { price: hdPrice(deps, talk), credits: prices.hdCredits }),
    ...(prices.welcomeCredits > 0 ? [say('greeting.gift', { count: prices.welcomeCredits })] : []),
    say(`greeting.${kept}`, { days: config.retentionDays }),
    say('greeting.start'),
  ].join('\n\n');
  return [answer(talk, text, [[help(say('button.help')), languageChoice(talk, say)]])];
}

/** What can be done here. */
export function explain(deps: ConversationDeps, talk: Talk): Reply[] {
  const say = speak(deps, talk.customer);
  return [answer(talk, say('help', { code: talk.customer.customerCode }))];
}

/** Credits, free previews left, customer code. */
export async function credits(deps: ConversationDeps, talk: Talk): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const profile = await deps.studio.profile(talk.customer.id);
  const text = say('credits', {
    credits: profile.credits,
    free: profile.freePreviewsLeftToday,
    code: profile.customerCode,
  });
  return [answer(talk, text, [[{ label: say('button.buy'), intent: { kind: 'buy' } }]])];
}

/** A page of photos, newest first. */
export async function history(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  before: string | undefined,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const page = { limit: historyLength + 1, ...(before ? { before } : {}) };
  const found = await deps.studio.photos(talk.customer.id, page);
  const photos = found.slice(0, historyLength);
  const last = photos.at(-1);
  if (!last) return [answer(talk, say('history.none'))];
  const lines = photos.map((photo, i) =>
    say('history.line', {
      number: i + 1,
      date: timeText(config, photo.createdAtMs),
      state: say(`state.${photo.unlocked ? 'unlocked' : photo.status}`),
    }),
  );
  const choices: Choice[] = photos.map((photo, i) => ({
    label: say('history.show', { number: i + 1 }),
    intent: { kind: 'showPhoto', photoId: photo.id },
  }));
  const older: Choice = {
    label: say('history.older'),
    intent: { kind: 'history', before: last.id },
  };
  const rows = inRows(choices, 4);
  if (found.length > historyLength) rows.push([older]);
  return [answer(talk, [say('history.title'), ...lines].join('\n'), rows)];
}

/** The style for new photos, and the language. */
export async function settings(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const { settings: now } = await deps.studio.profile(talk.customer.id);
  const presets = config.presets.map((preset) => ({
    label: `${preset === now.preset ? '✓ ' : ''}${say(`preset.${preset}`)}`,
    intent: { kind: 'setPreset', preset } as const,
  }));
  const text = say('settings', { preset: say(`preset.${now.preset}`) });
  return [answer(talk, text, [presets, [languageChoice(talk, say)]])];
}

/** Choose the style for new photos. */
export async function setPreset(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  preset: string,
): Promise<Reply[]> {
  if (!config.presets.includes(preset)) return settings(deps, config, talk);
  await deps.studio.setSettings(talk.customer.id, { preset });
  const say = speak(deps, talk.customer);
  return [answer(talk, say('settingsSaved', { preset: say(`preset.${preset}`) }))];
}

/** Change the language. */
export async function language(
  deps: ConversationDeps,
  talk: Talk,
  intent: Extract<Intent, { kind: 'language' }>,
): Promise<Reply[]> {
  // Without a name the other one: there are two.
  const chosen = intent.language ?? (talk.customer.language === 'en' ? 'zh-CN' : 'en');
  await deps.studio.setLanguage(talk.customer.id, chosen);
  await deps.chatLog.setState(talk.chat.channel, talk.customer.id, languageChosen, true);
  const say = speak(deps, { ...talk.customer, language: chosen });
  return [answer(talk, say('languageSet'))];
}

/** A code for another channel, or the use of one. */
export async function link(
  deps: ConversationDeps,
  talk: Talk,
  code: string | undefined,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  if (code) {
    await deps.studio.redeemLinkCode(talk.customer.id, code.toUpperCase());
    return [answer(talk, say('link.done'))];
  }
  const made = await deps.studio.createLinkCode(talk.customer.id);
  const minutes = Math.max(1, Math.round((made.expiresAtMs - deps.clock.now()) / 60_000));
  return [answer(talk, say('link.code', { code: made.code, minutes }))];
}

/**
 * Somebody whose contact id changed quotes the code they had before. Codes are shown in chats, so
 * a person looks at it before anything is handed over.
 */
export async function claim(deps: ConversationDeps, talk: Talk, code: string): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const own = talk.customer.customerCode;
  const older = code.toUpperCase();
  if (older === own) return credits(deps, talk);
  const heard = await deps.askToJoin(talk, older);
  return [answer(talk, say(heard === 'sent' ? 'claim.sent' : 'support.kept', { code: own }))];
}

/** Turn a credit code into credits. */
export async function redeem(deps: ConversationDeps, talk: Talk, code: string): Promise<Reply[]> {
  const { credits: gained } = await deps.studio.redeemCreditCode(
    talk.customer.id,
    code.toUpperCase(),
  );
  return [answer(talk, speak(deps, talk.customer)('redeemed', { credits: gained }))];
}

/** Words to the operator, or the question for them. */
export async function support(
  deps: ConversationDeps,
  talk: Talk,
  text: string | undefined,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const { customerCode: code } = talk.customer;
  if (!text) {
    await deps.chatLog.setState(talk.chat.channel, talk.chat.chatId, 'support', {
      untilMs: deps.clock.now() + 600_000,
    });
    const ask = say('support.ask', { code });
    const text = deps.operatorListens ? ask : `${say('support.readLater')} ${ask}`;
    return [answer(talk, text)];
  }
  const heard = await deps.askOperator(talk, text);
  return [answer(talk, say(`support.${heard}`, { code }))];
}

/** Free text: an answer to "what shall we tell the operator?", else a hint. */
export function freeText(deps: ConversationDeps, talk: Talk, text: string): Promise<Reply[]> {
  const hint = answer(talk, speak(deps, talk.customer)('notUnderstood'));
  return unlessForOperator(deps, talk, text, async () => [hint]);
}

/** Words after "what shall we tell the operator?" are the operator's, whatever they ask for. */
export async function unlessForOperator(
  deps: ConversationDeps,
  talk: Talk,
  text: string | undefined,
  otherwise: () => Promise<Reply[]>,
): Promise<Reply[]> {
  const { channel, chatId } = talk.chat;
  const waiting = await deps.chatLog.state<{ untilMs: number }>(channel, chatId, 'support');
  if (!text || !waiting || waiting.untilMs <= deps.clock.now()) return otherwise();
  await deps.chatLog.setState(channel, chatId, 'support', undefined);
  return support(deps, talk, text);
}

/** Buttons in rows of so many. */
export function inRows(choices: readonly Choice[], perRow: number): Choice[][] {
  const rows: Choice[][] = [];
  for (let i = 0; i < choices.length; i += perRow) rows.push(choices.slice(i, i + perRow));
  return rows;
}

function help(label: string): Choice {
  return { label, intent: { kind: 'help' } };
}

/** In the language it leads to, so that it can be found by those who need it. */
function languageChoice(talk: Talk, say: (key: string) => string): Choice {
  const other = talk.customer.language === 'en' ? 'zh-CN' : 'en';
  return { label: say('button.otherLanguage'), intent: { kind: 'language', language: other } };
}
