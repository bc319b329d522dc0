import { InvalidRequest } from '../../studio/errors/studio.js';
import { limits } from '../../studio/limits.js';
import type { PhotoAccepted } from '../api-types.js';
import { photoJson, type ViewContext } from '../views.js';
import type { Visitor } from '../visitor.js';
import type { ApiContext } from './context.js';

/** A whole file that arrived, and the options sent with it. */
interface Arrived {
  readonly file: string;
  readonly sha256: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Hand a file to the studio; the same bytes of the same customer are the same photo.
 * @throws {InvalidRequest} and what the studio refuses a photo with.
 */
export async function takePhoto(
  api: ApiContext,
  { customer, chat, view }: Visitor & { readonly view: ViewContext },
  { file, sha256, fields }: Arrived,
): Promise<PhotoAccepted> {
  const photo = await api.studio.submitPhoto({
    customerId: customer.id,
    chat,
    key: `web:${customer.id}:${sha256}`,
    file,
    ...photoOptions(fields),
  });
  const { id, status, position, etaSeconds } = photoJson(photo, view);
  return { id, status, position: position ?? 0, etaSeconds: etaSeconds ?? 0 };
}

/** Form fields are texts; say which one is off. @throws {InvalidRequest} */
function photoOptions(fields: Readonly<Record<string, string>>) {
  const strength = number(fields, 'strength', 0, 1.5);
  const warmth = number(fields, 'warmth', -1, 1);
  const sizePx = number(fields, 'size', limits.model.minSizePx, limits.model.maxSizePx);
  if (sizePx !== undefined && !Number.isInteger(sizePx)) {
    throw new InvalidRequest('size', 'integer', String(sizePx));
  }
  const finishing =
    strength === undefined && warmth === undefined ? undefined : { strength, warmth };
  return {
    preset: name(fields, 'preset'),
    model: name(fields, 'model'),
    sizePx,
    finishing,
  };
}

function number(
  fields: Readonly<Record<string, string>>,
  field: string,
  min: number,
  max: number,
): number | undefined {
  const text = fields[field];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new InvalidRequest(field, `${min} … ${max}`, text.slice(0, 40));
}

/** A catalog id, never a path: a stranger must not choose files of this machine. */
function name(fields: Readonly<Record<string, string>>, field: string): string | undefined {
  const text = fields[field];
  if (text === undefined || text === '') return undefined;
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(text)) return text;
  throw new InvalidRequest(field, 'a-z 0-9 -', text.slice(0, 40));
}
