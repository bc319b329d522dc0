import { createRequire } from 'node:module';
import path from 'node:path';
import type { PuppetInterface } from 'wechaty-puppet/impls';
import { WechatPuppetMissing, WechatTokenMissing } from './wechat-errors.js';

/** Which puppet, and where it is looked for. */
export interface WechatPuppetConfig {
  /** npm name, or path of a module, of a wechaty puppet; or one made by the caller. */
  readonly puppet: string | (() => PuppetInterface);
  readonly token?: string;
  /** Puppets installed here are found as well as those beside us. */
  readonly folder: string;
}

/** Packages that are nothing without their token. */
const needToken = /^wechaty-puppet-(service|padlocal)$/;

/**
 * What wechaty is given as `puppet`: a fresh one at every start.
 * @throws {WechatPuppetMissing | WechatTokenMissing} at once, not at the first login.
 */
export function resolvePuppet({ puppet, token, folder }: WechatPuppetConfig) {
  if (typeof puppet !== 'string') return puppet;
  const resolved = fileOf(puppet, folder);
  if (!resolved) throw new WechatPuppetMissing(puppet, folder);
  if (needToken.test(puppet) && !token) throw new WechatTokenMissing(puppet);
  return () => resolved;
}

/** @returns the name where it resolves beside us, else the module's file. */
function fileOf(puppet: string, folder: string): string | undefined {
  const isPath = puppet.startsWith('.') || path.isAbsolute(puppet);
  const name = isPath ? path.resolve(puppet) : puppet;
  for (const from of [__filename, path.join(folder, 'puppets.js')]) {
    try {
      return createRequire(from).resolve(name);
    } catch {
      // Looked for in the next place.
    }
  }
  return undefined;
}

/** A module that the puppet needs and that is not there, and the command that mends it. */
export interface MissingModule {
  readonly module: string;
  readonly mend: string;
}

/** @returns undefined when it is another fault: its words may be private, a module's name is not. */
export function missingModuleOf(error: unknown, folder: string): MissingModule | undefined {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  const [, name] = /Cannot find (?:module|package) '([^'\n]+)'/.exec(message) ?? [];
  if (!name || (code !== undefined && !/MODULE_NOT_FOUND/.test(code))) return undefined;
  const isPath = name.startsWith('.') || path.isAbsolute(name);
  const module = isPath
    ? path.basename(name)
    : name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  return { module, mend: `npm install --prefix ${folder}${isPath ? '' : ` ${module}`}` };
}

/** Faults that a puppet leaves unhandled: theirs, not ours. */
export function isPuppetFault(error: unknown): boolean {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const foreign = /[\\/]node_modules[\\/](?:@juzi[\\/])?(?:wechat|gerror|state-switch|file-box)/;
  const own =
    /[\\/](?:dist|src)[\\/](?:bots|cli|payments|queue|storage|studio|web)[\\/](?!.*node_modules)/;
  const first = frames.find((line) => foreign.test(line) || own.test(line));
  return first !== undefined && foreign.test(first);
}
