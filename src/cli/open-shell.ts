import path from 'node:path';
import { loadConfig } from './config.js';
import { chooseLanguage, createMessages, translator } from './messages.js';
import { packageRoot } from './package-root.js';
import { createOutput, type Shell } from './shell.js';

export interface GlobalOptions {
  readonly lang?: string;
  readonly json?: boolean;
}

/** Read settings and messages once, for the command that is about to run. */
export function openShell(options: GlobalOptions, env = process.env): Shell {
  const language = chooseLanguage(options.lang, env);
  return {
    env,
    cwd: process.cwd(),
    config: loadConfig(env),
    language,
    t: openMessages(language),
    output: createOutput(options.json === true, { out: process.stdout, err: process.stderr }),
    now: Date.now,
  };
}

/** Messages alone: for reporting an error before or instead of a shell. */
export function openMessages(language: 'en' | 'zh-CN') {
  return translator(createMessages(path.join(packageRoot, 'config', 'messages')), language);
}
