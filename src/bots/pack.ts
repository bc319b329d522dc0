import type { Abilities } from './abilities.js';
import type { Media, Reply } from './conversation/reply.js';
import type { Outgoing } from './door.js';

/**
 * A reply as the messages that a channel sends: pictures, then the file, then the words.
 * @param replyWith "reply with a number" in the chat's language.
 * @returns [] when there is nothing to say.
 */
export function pack(
  reply: Reply,
  abilities: Abilities,
  replyWith: (numbers: string) => string,
): Outgoing[] {
  const { about } = reply;
  if (!abilities.replies) return partsOf(withNumber(reply), abilities, replyWith);
  const [first, ...others] = partsOf(reply, abilities, replyWith);
  if (!first || about?.message === undefined) return first ? [first, ...others] : [];
  return [{ ...first, repliesTo: about.message }, ...others];
}

/** A reply without words stays without: its number would be a message of its own. */
function withNumber(reply: Reply): Reply {
  const { about, text } = reply;
  return about?.words && text !== '' ? { ...reply, text: `${about.words}\n${text}` } : reply;
}

function partsOf(
  reply: Reply,
  abilities: Abilities,
  replyWith: (numbers: string) => string,
): Outgoing[] {
  const { choices, passing } = reply;
  const asButtons = (choices?.flat().length ?? 0) <= abilities.buttonsMax;
  const text = asButtons ? reply.text : inLines(reply, replyWith);
  const ending = {
    ...(passing ? { passing } : {}),
    ...(asButtons && choices ? { choices } : {}),
  };
  const before: Outgoing[] = together(reply.pictures ?? [], abilities.picturesTogether);
  const own = mediaOf(reply);
  const isCaption = own !== undefined && text.length <= abilities.captionMax;
  if (isCaption) return [...before, { ...own, ...ending, text }];
  if (own) before.push({ ...own, ...(passing ? { passing } : {}), text: '' });
  if (text === '') return before;
  const texts = cut(text, abilities.textMax);
  return [
    ...before,
    ...texts.map((one, i) => (i < texts.length - 1 ? { text: one } : { ...ending, text: one })),
  ];
}

function together(pictures: readonly Media[], most: number): Outgoing[] {
  const parts: Outgoing[] = [];
  for (let at = 0; at < pictures.length; at += most) {
    const [picture, ...others] = pictures.slice(at, at + most);
    if (!picture) continue;
    parts.push({
      text: '',
      ...(others.length > 0 ? { pictures: [picture, ...others] } : { picture }),
    });
  }
  return parts;
}

function mediaOf({ picture, file, instead }: Reply): Omit<Outgoing, 'text'> | undefined {
  if (file) return { file, ...(instead ? { instead } : {}) };
  return picture ? { picture } : undefined;
}

function cut(text: string, max: number): string[] {
  if (text.length <= max) return [text];
  const texts: string[] = [];
  for (let at = 0; at < text.length; at += max) texts.push(text.slice(at, at + max));
  return texts;
}

/** Buttons as lines: `1 高清`, and pages as `付款页: https://...`. */
function inLines(reply: Reply, replyWith: (numbers: string) => string): string {
  const choices = reply.choices?.flat() ?? [];
  const numbered = choices.filter((one) => one.intent);
  const links = choices.filter((one) => one.url).map((one) => `${one.label}: ${one.url}`);
  const lines = numbered
    .map((one, i) => ({ number: String(i + 1), label: one.label }))
    // Three looks in one picture are called 1, 2 and 3 already.
    .filter(({ number, label }) => label !== number)
    .map(({ number, label }) => `${number} ${label}`);
  const numbers = numbered.map((_, i) => i + 1).join(' / ');
  const offer = numbered.length > 0 ? [replyWith(numbers), ...lines] : [];
  return [reply.text, ...links, ...offer].filter((line) => line !== '').join('\n');
}
