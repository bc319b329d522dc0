import assert from 'node:assert/strict';
import { z } from 'zod';

/** What a setting's declaration says about itself, for fault messages and `huancai doctor`. */
export interface SettingInfo {
  /** A valid value, shown when the given one is not. */
  readonly example: string;
  /** Environment variable; default HUANCAI_<SECTION>_<SETTING>. */
  readonly env?: string;
  /** Only from the environment, or from the file that `<variable>_FILE` names; never from YAML. */
  readonly secret?: boolean;
  /** A secret's file may be read by others: certificates and public keys. */
  readonly shared?: boolean;
}

const infos = z.registry<SettingInfo>();

/** Attach an example (and more) to a setting of a section's schema. */
export function setting<T extends z.ZodType>(schema: T, info: SettingInfo): T {
  // A schema shared by two settings would give both the variable of the second.
  assert(!infos.has(schema), `setting ${info.example} shares its schema with another`);
  infos.add(schema, info);
  return schema;
}

/** A setting with its names. */
export interface Setting extends SettingInfo {
  /** Dotted, as in YAML: `inference.idleUnloadMs`. */
  readonly name: string;
  readonly env: string;
  /** Whether the schema takes this value. */
  readonly accepts: (value: unknown) => boolean;
}

/** Every setting of a schema, in order. A setting without an example is our own mistake. */
export function settingsOf(schema: z.ZodObject, prefix: string[] = []): Setting[] {
  return Object.entries(schema.shape).flatMap(([key, value]) => {
    const trail = [...prefix, key];
    if (value instanceof z.ZodObject) return settingsOf(value, trail);
    const info = infos.get(value as z.ZodType);
    if (!info) throw new Error(`setting ${trail.join('.')} has no example`);
    const accepts = (given: unknown) => (value as z.ZodType).safeParse(given).success;
    return [{ ...info, name: trail.join('.'), env: info.env ?? environmentName(trail), accepts }];
  });
}

function environmentName(trail: string[]): string {
  const snake = trail.map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase());
  return `HUANCAI_${snake.join('_')}`;
}
