import { yuan } from '../../../../studio/money';
import { en, type TextKey, type Texts } from './en';
import { zhCn } from './zh-cn';

/** A language of the page. */
export type Language = 'zh-CN' | 'en';

/** A text by its key, with `{names}` replaced by values. */
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

/** Each language in its own words. */
export const languageNames: Record<Language, string> = { 'zh-CN': '中文', en: 'English' };

const texts: Record<Language, Texts> = { en, 'zh-CN': zhCn };
const storageKey = 'huancai.language';

/** What was chosen here before, else what the browser speaks. */
export function initialLanguage(): Language {
  const wanted = localStorage.getItem(storageKey) ?? navigator.language;
  return wanted.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

/** Keep the choice in this browser and tell the document. */
export function rememberLanguage(language: Language): void {
  localStorage.setItem(storageKey, language);
  document.documentElement.lang = language;
}

/** Texts of one language; `n` = 1 takes the singular where there is one. */
export function translator(language: Language): Translate {
  return (key, values = {}) =>
    (texts[language][singular(key, values['n'])] ?? key).replace(
      /\{(\w+)\}/g,
      (whole, name: string) => String(values[name] ?? whole),
    );
}

/** Languages that count differently have the same text under both keys. */
function singular(key: TextKey, n: string | number | undefined): TextKey {
  const one = `${key}.one` as TextKey;
  return n === 1 && one in en ? one : key;
}

/** "40 s", "3 min". */
export function duration(t: Translate, seconds: number): string {
  return seconds < 90
    ? t('time.seconds', { n: Math.max(1, Math.round(seconds)) })
    : t('time.minutes', { n: Math.round(seconds / 60) });
}

/** `¥1,234.50`, or whole Stars. */
export function money(amountMinor: number, currency: string): string {
  if (currency === 'XTR') return `${amountMinor} ★`;
  return `¥${yuan(amountMinor).replace(/\B(?=(\d{3})+\.)/g, ',')}`;
}

/** Day and time as the language writes them, in the browser's zone. @param iso ISO 8601. */
export function dateTime(language: Language, iso: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(iso),
  );
}
