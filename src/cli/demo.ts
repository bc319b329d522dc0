import { constants } from 'node:fs';
import { access, copyFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../inference/codec/make-folder.js';
import type { RenderOptions } from '../studio/ports/colorizer.js';
import { waitingAloud } from './cards.js';
import { openEngine } from './engine.js';
import { OutputExists } from './errors.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { listenForInterrupt } from './interrupt.js';
import { type GlobalOptions, openShell } from './open-shell.js';
import { packageRoot } from './package-root.js';
import type { Shell } from './shell.js';

/** CC0, see assets/demo/README.md. */
export const demoPhoto = path.join(packageRoot, 'assets', 'demo', 'photographer.jpg');

/** Options of `huancai demo`. */
export interface DemoOptions extends GlobalOptions {
  readonly output: string;
  readonly overwrite?: boolean;
  readonly model?: string;
  readonly label: boolean;
}

/** `huancai demo`: before, after and comparison of the photograph that ships with the package. */
export async function demo(options: DemoOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { output, t, config } = shell;
  const files = await planFiles(options, shell);
  const interrupt = listenForInterrupt(() => output.notice(t('cli.interrupted')));
  const engine = openEngine(shell, waitingAloud(shell));
  try {
    const { colorizer } = engine;
    const context = { signal: interrupt.signal };
    const model = options.model ?? config.inference.model;
    await copyFile(demoPhoto, files.before);
    const chroma = colorizer
      .predict(demoPhoto, { model }, context)
      .then((prediction) => prediction.chroma);
    const render: RenderOptions = {
      format: 'jpeg',
      label: {
        text: options.label && config.label.visible ? config.label.text : undefined,
        producer: config.label.producer,
        produceId: 'hc-demo',
      },
    };
    await colorizer.render(demoPhoto, chroma, files.after, render, context);
    const comparison = { ...render, layout: 'comparison' } as const;
    await colorizer.render(demoPhoto, chroma, files.comparison, comparison, context);
  } finally {
    await engine.close();
    interrupt.close();
  }
  for (const [name, file] of Object.entries(files)) {
    output.line(t(`cli.demo.${name}`, { file: path.relative(shell.cwd, file) }));
  }
  output.line(t('cli.demo.next'));
  output.record({ type: 'demo', ...files });
  return exitCodes.done;
}

async function planFiles({ output, overwrite }: DemoOptions, { cwd }: Shell) {
  const folder = path.resolve(cwd, output);
  const files = {
    before: path.join(folder, 'before.jpg'),
    after: path.join(folder, 'after.jpg'),
    comparison: path.join(folder, 'comparison.jpg'),
  };
  makeFolder(folder);
  for (const file of overwrite ? [] : Object.values(files)) {
    const exists = await access(file, constants.F_OK).then(
      () => true,
      () => false,
    );
    if (exists) throw new OutputExists(path.relative(cwd, file));
  }
  return files;
}
