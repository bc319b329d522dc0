import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { chooseLanguage, createMessages, languages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { type Being, type Doing, NotPossibleNow } from '../../src/studio/errors/index.js';
import { PhotoUnreadable, type UnreadableReason } from '../../src/studio/errors/photo.js';
import { orderMoves } from '../../src/studio/order.js';
import { lookMoves, photoMoves } from '../../src/studio/photo.js';

const dir = path.join(packageRoot, 'config', 'messages');
const messages = createMessages(dir);

/** Dotted keys with their texts, file by file. */
function keysIn(language: string): Map<string, { text: string; file: string }[]> {
  const keys = new Map<string, { text: string; file: string }[]>();
  const walk = (tree: Record<string, unknown>, prefix: string, file: string): void => {
    for (const [key, value] of Object.entries(tree)) {
      const name = prefix ? `${prefix}.${key}` : key;
      if (typeof value === 'object' && value !== null) {
        walk(value as Record<string, unknown>, name, file);
      } else keys.set(name, [...(keys.get(name) ?? []), { text: String(value), file }]);
    }
  };
  for (const file of readdirSync(path.join(dir, language))) {
    walk(parse(readFileSync(path.join(dir, language, file), 'utf8')), '', file);
  }
  return keys;
}

const placeholders = (text: string) => [...text.matchAll(/{{\s*(\w+)/g)].map((m) => m[1]).sort();

test('both languages say the same things', () => {
  const en = keysIn('en');
  const zh = keysIn('zh-CN');
  expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  for (const [key, places] of en) {
    const names = placeholders(zh.get(key)![0]!.text);
    expect({ key, names }).toEqual({ key, names: placeholders(places[0]!.text) });
  }
});

test.each(languages)('no key of %s is set by two files', (language) => {
  const twice = [...keysIn(language)].filter(([, places]) => places.length > 1);
  expect(twice.map(([key]) => key)).toEqual([]);
});

test('every message that an error can name exists in every language', () => {
  const sources = readdirSync(path.join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(packageRoot, 'src', name), 'utf8'));
  // super('CODE', 'area.key', ... of a StudioError
  const named = sources.flatMap((text) =>
    [...text.matchAll(/super\(\s*'[A-Z_]+',\s*'([\w.]+)'/g)].map((match) => match[1]!),
  );
  expect(named.length).toBeGreaterThan(10);
  const missing = named.flatMap((key) =>
    languages
      .filter((language) => !messages.has(key, language))
      .map((language) => `${language}: ${key}`),
  );
  expect(missing).toEqual([]);
});

test('why a picture cannot be read is said in the language of the rest', () => {
  const reasons = [...keysIn('en').keys()].filter((key) => key.startsWith('photo.reason.'));
  expect(reasons.length).toBeGreaterThan(5);
  for (const reason of reasons.map((key) => key.split('.').at(-1)!)) {
    const { params, messageKey } = new PhotoUnreadable('x', undefined, reason as UnreadableReason);
    expect(messages.text(messageKey, 'en', params)).toMatch(/^This picture cannot be read: [a-z]/);
    expect(messages.text(messageKey, 'zh-CN', params)).toMatch(/^无法读取这张图片：[^a-z$]+$/);
  }
});

test('what is not possible now is said in words, whatever it is', () => {
  const doing: readonly Doing[] = [
    ...(['unlock', 'select', 'change', 'colour', 'cancel'] as const),
    ...(['pay', 'sandbox', 'receipt', 'refund'] as const),
  ];
  const states = [photoMoves, lookMoves, orderMoves].flatMap((moves) => Object.keys(moves));
  const being = [...states, 'expired', 'sandboxOff', 'otherMethod'] as Being[];
  for (const state of being)
    for (const action of doing) {
      const { params, messageKey } = new NotPossibleNow(action, state);
      expect(messages.text(messageKey, 'en', params)).toMatch(/^[A-Z][\w ]+ now: [a-z][\w, ]+\.$/);
      expect(messages.text(messageKey, 'zh-CN', params)).toMatch(
        /^现在无法[^a-z$.]+：[^a-z$.]+。$/,
      );
    }
});

test('texts are filled in and fall back to English, then to the key', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-messages-'));
  for (const language of languages) mkdirSync(path.join(folder, language));
  writeFileSync(
    path.join(folder, 'en', 'a.yaml'),
    'a: { one: "<{{name}}> & co", two: only English }',
  );
  writeFileSync(path.join(folder, 'zh-CN', 'a.yaml'), 'a: { one: "{{name}} 等" }');
  const own = createMessages(folder);
  rmSync(folder, { recursive: true });
  expect(own.text('a.one', 'en', { name: 'O\'Hara "x"' })).toBe('<O\'Hara "x"> & co');
  expect(own.text('a.one', 'zh-CN', { name: '王' })).toBe('王 等');
  expect(own.text('a.two', 'zh-CN')).toBe('only English');
  expect(own.text('a.three', 'en')).toBe('a.three');
});

test('the language follows the option, then the locale', () => {
  expect(chooseLanguage(undefined, { LANG: 'zh_CN.UTF-8' })).toBe('zh-CN');
  expect(chooseLanguage(undefined, { LC_ALL: 'C.UTF-8', LANG: 'zh_CN.UTF-8' })).toBe('en');
  expect(chooseLanguage('zh-CN', { LANG: 'en_GB.UTF-8' })).toBe('zh-CN');
  expect(chooseLanguage(undefined, {})).toBe('en');
});
