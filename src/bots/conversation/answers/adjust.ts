import type { Finishing } from '../../../studio/ports/colorizer.js';
import type { FinishingChange } from '../intent.js';
import type { Reply } from '../reply.js';
import { answer, type ConversationDeps, speak, type Talk } from '../talk.js';

/** What can be changed about the colours. */
export async function adjustMenu(
  deps: ConversationDeps,
  talk: Talk,
  photoId: string,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const change = (label: string, what: FinishingChange) => ({
    label: say(`adjust.${label}`),
    intent: { kind: 'setFinishing', photoId, change: what } as const,
  });
  return [
    answer(talk, say('adjust.title'), [
      [change('stronger', 'stronger'), change('weaker', 'weaker')],
      [change('warmer', 'warmer'), change('cooler', 'cooler')],
      [change('reset', 'reset')],
    ]),
  ];
}

/** Change the colours by one step. */
export async function setFinishing(
  deps: ConversationDeps,
  talk: Talk,
  photoId: string,
  change: FinishingChange,
): Promise<Reply[]> {
  const photo = await deps.studio.photo(talk.customer.id, photoId);
  const look = photo.looks.find((one) => one.id === photo.selectedLookId);
  const finishing = changed(look?.finishing ?? {}, change);
  await deps.studio.adjust(talk.customer.id, photoId, finishing);
  const say = speak(deps, talk.customer);
  return [{ ...answer(talk, say('adjust.working')), passing: true }];
}

/** One step within the ranges of `Finishing`. */
function changed(now: Finishing, change: FinishingChange): Finishing {
  const { strength = 1, warmth = 0 } = now;
  const step = (value: number, by: number, min: number, max: number) =>
    Math.min(max, Math.max(min, Math.round((value + by) * 100) / 100));
  switch (change) {
    case 'stronger':
      return { ...now, strength: step(strength, 0.2, 0, 1.5) };
    case 'weaker':
      return { ...now, strength: step(strength, -0.2, 0, 1.5) };
    case 'warmer':
      return { ...now, warmth: step(warmth, 0.25, -1, 1) };
    case 'cooler':
      return { ...now, warmth: step(warmth, -0.25, -1, 1) };
    case 'reset':
      return {};
  }
}
