import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Cancelled } from '../../studio/errors/index.js';
import type { Colorizer, Label, ResultNote, RunContext } from '../../studio/ports/colorizer.js';
import { chooseCheckpoint, type KnownModel } from './checkpoints.js';
import { graphFault, WorkflowInvalid } from './errors.js';
import type { Workflow } from './graph.js';
import { loadPicture } from './load-picture.js';
import type { GraphNode, NodeRun, Picture } from './node-run.js';
import { savePicture } from './save-picture.js';

/** What running a graph needs. */
export interface WorkflowDeps {
  readonly colorizer: Colorizer;
  readonly models: readonly KnownModel[];
}

/** What goes into a graph and where its results go. */
export interface WorkflowOptions {
  /** File for each LoadImage node by its id; `*` for every other one. */
  readonly images: Readonly<Record<string, string>>;
  /** Where the names inside LoadImage are looked for when none is given. */
  readonly inputDir: string;
  readonly outputDir: string;
  readonly model: string;
  readonly label: Label;
}

/** Files in the order they were saved, and what the user should know. */
export interface WorkflowResult {
  readonly files: readonly string[];
  readonly notes: readonly ResultNote[];
}

/**
 * Run a graph from its LoadImage nodes to its SaveImage nodes, one node at a time.
 * @throws {WorkflowInvalid} for an image that the graph names and nobody gave; what predict and
 * render throw.
 */
export async function runWorkflow(
  deps: WorkflowDeps,
  workflow: Workflow,
  options: WorkflowOptions,
  context: RunContext = {},
): Promise<WorkflowResult> {
  await mkdir(options.outputDir, { recursive: true });
  const work = await mkdtemp(path.join(options.outputDir, '.huancai-workflow-'));
  try {
    return await runNodes(deps, workflow, options, context, work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function runNodes(
  deps: WorkflowDeps,
  workflow: Workflow,
  options: WorkflowOptions,
  context: RunContext,
  workDir: string,
): Promise<WorkflowResult> {
  const pictures = new Map<string, Picture>();
  const files: string[] = [];
  const notes: ResultNote[] = [];
  const total = workflow.nodes.length;
  let finished = 0;
  let temporaries = 0;
  const run: NodeRun = {
    colorizer: deps.colorizer,
    context: { signal: context.signal },
    label: options.label,
    picture: (node, input) => pictures.get(node.links[input]!.node)!,
    load: (node) => loadImage(node, deps, workflow, options, run),
    save: async (node) => {
      const picture = run.picture(node, 'images');
      const file = await nextName(options.outputDir, String(node.values['filename_prefix']));
      notes.push(...(await savePicture(picture, file, run.temporary, options.label)));
      files.push(file);
      return undefined;
    },
    model: (checkpoint) => {
      const { model, substituted } = chooseCheckpoint(checkpoint, deps.models, options.model);
      if (substituted)
        notes.push({ key: 'workflow.substituted', params: { checkpoint: checkpoint!, model } });
      return model;
    },
    temporary: (extension) => path.join(workDir, `${++temporaries}${extension}`),
    note: (note) => notes.push(note),
  };
  for (const node of workflow.nodes) {
    if (context.signal?.aborted) throw new Cancelled();
    const picture = await node.type.work(node, run);
    if (picture) pictures.set(node.id, picture);
    context.onProgress?.(++finished / total);
  }
  return { files, notes };
}

async function loadImage(
  node: GraphNode,
  { colorizer }: WorkflowDeps,
  workflow: Workflow,
  { images, inputDir }: WorkflowOptions,
  run: Pick<NodeRun, 'temporary'>,
): Promise<Picture> {
  const given = images[node.id] ?? images['*'];
  const file = given ?? path.resolve(inputDir, String(node.values['image']));
  try {
    return await loadPicture(file, colorizer, run);
  } catch (error) {
    if (given !== undefined) throw error;
    const reason = (error as Error).message;
    const text = `${node.name}: ${reason} (${file}); give a photo with --image`;
    const params = { id: node.id, reason, image: file };
    throw new WorkflowInvalid(workflow.name, [graphFault('noPicture', text, params)]);
  }
}

/** ComfyUI's names: prefix_00001_.png, counting on from what is there; nothing is overwritten. */
async function nextName(outputDir: string, prefix: string): Promise<string> {
  // A prefix may hold folders; it may not lead out of the output folder.
  const target = path.join(outputDir, path.join('/', prefix.replaceAll('\\', '/')));
  const dir = path.dirname(target);
  const base = path.basename(target);
  await mkdir(dir, { recursive: true });
  const used = (await readdir(dir))
    .map((name) =>
      name.startsWith(`${base}_`) ? /^(\d{5,})_/.exec(name.slice(base.length + 1)) : null,
    )
    .map((match) => Number(match?.[1] ?? 0));
  const next = String(Math.max(0, ...used) + 1).padStart(5, '0');
  return path.join(dir, `${base}_${next}_.png`);
}
