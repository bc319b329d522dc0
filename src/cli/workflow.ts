import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openFile } from '../inference/codec/identify-file.js';
import { makeFolder } from '../inference/codec/make-folder.js';
import { presetNames } from '../inference/presets.js';
import { runWorkflow } from '../inference/workflow/execute.js';
import { parseWorkflow, type Workflow } from '../inference/workflow/graph.js';
import { waitingAloud } from './cards.js';
import { openEngine } from './engine.js';
import { WrongUse } from './errors.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { listenForInterrupt } from './interrupt.js';
import { type GlobalOptions, openShell } from './open-shell.js';
import { packageRoot } from './package-root.js';
import type { Shell } from './shell.js';

export interface WorkflowRunOptions extends GlobalOptions {
  readonly image?: readonly string[];
  readonly output: string;
  readonly model?: string;
  readonly label: boolean;
}

/** `huancai workflow run`. */
export async function workflowRun(name: string, options: WorkflowRunOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const { output, t, config, cwd } = shell;
  const file = presetNames.some((preset) => preset === name)
    ? path.join(packageRoot, 'config', 'workflows', `${name}.json`)
    : path.resolve(cwd, name);
  const text = await readText(file).catch(() => {
    throw new WrongUse(`${name}: ${t('cli.noSuchFile')}`);
  });
  const workflow = parseWorkflow(text, path.basename(file));
  const images = chooseImages(workflow, options.image ?? [], shell);
  const outputDir = path.resolve(cwd, options.output);
  makeFolder(outputDir);
  const interrupt = listenForInterrupt(() => output.notice(t('cli.interrupted')));
  const engine = openEngine(shell, waitingAloud(shell));
  try {
    const { files, notes } = await runWorkflow(
      {
        colorizer: engine.colorizer,
        models: engine.models.list(),
      },
      workflow,
      {
        images,
        inputDir: path.dirname(file),
        outputDir,
        model: options.model ?? config.inference.model,
        label: {
          text: options.label && config.label.visible ? config.label.text : undefined,
          producer: config.label.producer,
          produceId: `hc-${randomUUID()}`,
        },
      },
      { signal: interrupt.signal },
    );
    for (const note of notes) output.notice(t(note.key, note.params));
    for (const saved of files)
      output.line(t('cli.workflow.saved', { file: path.relative(cwd, saved) }));
    output.record({ type: 'workflow', files, notes });
    return exitCodes.done;
  } finally {
    await engine.close();
    interrupt.close();
  }
}

/** A pipe would never end. */
async function readText(file: string): Promise<string> {
  const { handle } = await openFile(file);
  return handle.readFile('utf8').finally(() => handle.close());
}

/** `photo.jpg` where one image is loaded, `12=photo.jpg` for each where there are several. */
function chooseImages(
  workflow: Workflow,
  given: readonly string[],
  { cwd, t }: Shell,
): Record<string, string> {
  const loads = workflow.nodes.filter((node) => 'image' in node.values).map((node) => node.id);
  const images: Record<string, string> = {};
  for (const text of given) {
    const at = text.indexOf('=');
    const id = loads.includes(text.slice(0, at)) ? text.slice(0, at) : undefined;
    if (id === undefined && loads.length > 1) {
      const params = { count: loads.length, nodes: loads.join(', ') };
      throw new WrongUse(t('cli.workflow.imageIds', params));
    }
    const name = id === undefined ? text : text.slice(at + 1);
    const file = path.resolve(cwd, name);
    if (!existsSync(file)) throw new WrongUse(`${name}: ${t('cli.noSuchFile')}`);
    images[id ?? '*'] = file;
  }
  return images;
}
