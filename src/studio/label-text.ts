import type { Context } from './context.js';
import type { Language } from './ports/basics.js';
import type { Label } from './ports/colorizer.js';
import type { PhotoRecord } from './records.js';

/** The label of a picture that this customer reads. @param visible false: only inside the file. */
export function labelFor(
  { config }: Pick<Context, 'config'>,
  photoId: string,
  language: Language,
  visible = true,
): Label {
  const { texts, producer } = config.label;
  const text = visible ? texts?.[language] : undefined;
  return { producer, produceId: photoId, ...(text === undefined ? {} : { text }) };
}

/** Whether a paid file of this photo carries the visible label. */
export function isLabelVisible({ config }: Pick<Context, 'config'>, photo: PhotoRecord): boolean {
  const { texts, without } = config.label;
  if (texts === undefined || without === 'always') return false;
  return without === 'never' || photo.labelChoice !== 'without';
}

/** What the paid file carries, where its customer may choose. */
export function labelChoiceOf(
  context: Pick<Context, 'config'>,
  photo: PhotoRecord,
): 'with' | 'without' | undefined {
  const { texts, without } = context.config.label;
  if (texts === undefined || without !== 'ask') return undefined;
  return isLabelVisible(context, photo) ? 'with' : 'without';
}
