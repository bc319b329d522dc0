import { InvalidRequest } from '../studio/errors/studio.js';
import { FieldMissing, FieldUnknown } from './errors.js';

/** What ajv says about a value, as fastify hands it on; `data` is there because ajv is verbose. */
export interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

const shownLength = 40;

/**
 * A schema's complaint in our words. Rules are written as signs, so that they read the same in
 * every language.
 * @param where body, querystring, headers or params.
 */
export function fieldFault({ keyword, instancePath, params, data }: SchemaFault, where: string) {
  const at = instancePath.replace(/^\//, '').replaceAll('/', '.');
  const below = (name: unknown) => (at ? `${at}.${name}` : String(name));
  if (keyword === 'required') return new FieldMissing(below(params['missingProperty']));
  if (keyword === 'additionalProperties') {
    return new FieldUnknown(below(params['additionalProperty']).slice(0, shownLength));
  }
  const found = JSON.stringify(data)?.slice(0, shownLength) ?? '-';
  return new InvalidRequest(at || where, ruleOf(keyword, params), found);
}

function ruleOf(keyword: string, params: SchemaFault['params']): string {
  const { limit, comparison, allowedValues, type, pattern } = params;
  if (comparison !== undefined) return `${comparison} ${limit}`;
  if (limit !== undefined) return `length ${keyword.startsWith('min') ? '>=' : '<='} ${limit}`;
  if (Array.isArray(allowedValues)) return allowedValues.join(', ');
  return String(type ?? pattern ?? keyword);
}
