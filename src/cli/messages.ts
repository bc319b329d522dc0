import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInstance } from 'i18next';
import { parse } from 'yaml';
import type { Language, Messages } from '../studio/ports/basics.js';

/** Languages with a folder in config/messages; the first is the fallback. */
export const languages = ['en', 'zh-CN'] as const satisfies readonly Language[];

/** Texts in one language: the message with its placeholders filled. */
export type Translate = (key: string, params?: Readonly<Record<string, string | number>>) => string;

export interface LoadedMessages extends Messages {
  /** Whether this language itself (not the fallback) has the message. */
  has(key: string, language: Language): boolean;
}

type Tree = { [key: string]: string | Tree };

/**
 * Load `<dir>/<language>/*.yaml`. Each area has its own file, which holds whole keys
 * (`photo: { tooLarge: ... }`); all files of a language are merged. Placeholders are `{{name}}`.
 * @throws when a file is not YAML.
 */
export function createMessages(dir: string): LoadedMessages {
  const resources = Object.fromEntries(
    languages.map((language) => [
      language,
      { translation: readLanguage(path.join(dir, language)) },
    ]),
  );
  const i18n = createInstance();
  i18n.init({
    resources,
    fallbackLng: languages[0],
    initAsync: false,
    interpolation: { escapeValue: false },
  });
  return {
    text: (key, language, params) => i18n.t(key, { ...params, lng: language }),
    has: (key, language) => i18n.exists(key, { lng: language, fallbackLng: [] }),
  };
}

/** @returns the texts of one language. */
export function translator(messages: Messages, language: Language): Translate {
  return (key, params) => messages.text(key, language, params);
}

/**
 * Pick the language from, in order: what was asked for, the locale variables, English.
 * @param wanted such as `zh-CN`, `zh`, `en`; unknown languages fall back to English.
 */
export function chooseLanguage(
  wanted: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Language {
  const locale = wanted ?? (env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '');
  return /^zh/i.test(locale) ? 'zh-CN' : 'en';
}

function readLanguage(dir: string): Tree {
  const tree: Tree = {};
  for (const name of readdirSync(dir).sort()) {
    if (!name.endsWith('.yaml')) continue;
    const file = path.join(dir, name);
    merge(tree, (parse(readFileSync(file, 'utf8')) ?? {}) as Tree);
  }
  return tree;
}

function merge(into: Tree, from: Tree): void {
  for (const [key, value] of Object.entries(from)) {
    const present = into[key];
    if (typeof present === 'object' && typeof value === 'object') merge(present, value);
    else into[key] = value;
  }
}
