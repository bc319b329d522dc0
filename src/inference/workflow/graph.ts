import { z } from 'zod';
import { WorkflowInvalid } from './errors.js';
import { type NodeType, nodeTypes } from './node-types.js';

/** The first output of another node: `["4", 0]` in the file. */
export interface Link {
  readonly node: string;
}

export interface WorkflowNode {
  readonly id: string;
  readonly type: NodeType;
  /** As the user sees it in ComfyUI, for messages: `3 (ImageScale)`. */
  readonly name: string;
  readonly links: Readonly<Record<string, Link>>;
  readonly values: Readonly<Record<string, string | number>>;
}

export interface Workflow {
  readonly name: string;
  /** In an order in which every node follows what it takes from; only what leads to an output. */
  readonly nodes: readonly WorkflowNode[];
}

const graphSchema = z.record(
  z.string(),
  z.looseObject({ class_type: z.string(), inputs: z.record(z.string(), z.unknown()).default({}) }),
);
type Graph = z.infer<typeof graphSchema>;

/**
 * Read a graph in ComfyUI's API format and check all of it before anything runs.
 * @param text the file's content.
 * @param name for messages, usually the file's name.
 * @throws {WorkflowInvalid} naming every unknown node, missing input, wrong value, dead link, cycle.
 */
export function parseWorkflow(text: string, name: string): Workflow {
  const graph = readGraph(text, name);
  const faults: string[] = [];
  const nodes = new Map<string, WorkflowNode>();
  for (const id of Object.keys(graph)) {
    const node = readNode(id, graph, faults);
    if (node) nodes.set(id, node);
  }
  const outputs = [...nodes.values()].filter((node) => node.type.output === 'none');
  if (faults.length === 0 && outputs.length === 0) {
    faults.push('no node gives a result: add SaveImage or PreviewImage');
  }
  const order = faults.length === 0 ? inOrder(outputs, nodes, faults) : [];
  if (faults.length > 0) throw new WorkflowInvalid(name, faults);
  return { name, nodes: order };
}

function readGraph(text: string, name: string): Graph {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new WorkflowInvalid(name, [`not JSON: ${(error as Error).message}`]);
  }
  const canvas = z.object({ nodes: z.array(z.unknown()), links: z.array(z.unknown()) });
  if (canvas.safeParse(json).success) {
    throw new WorkflowInvalid(name, [
      'this is the canvas, not the graph: in ComfyUI use "Export (API)" (older: "Save (API Format)")',
    ]);
  }
  const graph = graphSchema.safeParse(json);
  if (graph.success && Object.keys(graph.data).length > 0) return graph.data;
  throw new WorkflowInvalid(name, [
    'expected ComfyUI\'s API format: {"1": {"class_type": "LoadImage", "inputs": {...}}, ...}',
  ]);
}

function readNode(id: string, graph: Graph, faults: string[]): WorkflowNode | undefined {
  const { class_type, inputs } = graph[id]!;
  const name = `node ${id} (${class_type})`;
  const type = nodeTypes[class_type];
  if (!type) {
    faults.push(`${name}: unknown node; known are ${Object.keys(nodeTypes).join(', ')}`);
    return undefined;
  }
  const links: Record<string, Link> = {};
  for (const input of type.images) {
    const link = readLink(inputs[input]);
    if (!link) faults.push(`${name}: input "${input}" is not connected to an image`);
    else if (!graph[link.node])
      faults.push(`${name}: input "${input}" comes from node ${link.node}, which is missing`);
    else if (link.slot !== 0 || nodeTypes[graph[link.node]!.class_type]?.output === 'none') {
      faults.push(
        `${name}: input "${input}" takes output ${link.slot} of node ${link.node}, which is not an image`,
      );
    } else links[input] = { node: link.node };
  }
  const values = type.values.safeParse(inputs);
  if (!values.success) {
    for (const issue of values.error.issues) {
      faults.push(`${name}: input "${issue.path.join('.')}": ${issue.message}`);
    }
    return undefined;
  }
  return { id, type, name, links, values: values.data as WorkflowNode['values'] };
}

function readLink(value: unknown): { node: string; slot: number } | undefined {
  const link = z.tuple([z.union([z.string(), z.number()]), z.int().min(0)]).safeParse(value);
  return link.success ? { node: String(link.data[0]), slot: link.data[1] } : undefined;
}

/** Depth first from the outputs, as ComfyUI does: what leads nowhere is not run. */
function inOrder(
  outputs: WorkflowNode[],
  nodes: ReadonlyMap<string, WorkflowNode>,
  faults: string[],
): WorkflowNode[] {
  const order = new Set<WorkflowNode>();
  const visit = (node: WorkflowNode, trail: WorkflowNode[]): void => {
    const at = trail.indexOf(node);
    if (at >= 0) {
      const cycle = [...trail.slice(at), node].map((one) => one.id).join(' -> ');
      faults.push(`the nodes form a cycle: ${cycle}`);
      return;
    }
    if (order.has(node)) return;
    for (const link of Object.values(node.links)) visit(nodes.get(link.node)!, [...trail, node]);
    order.add(node);
  };
  for (const node of outputs) visit(node, []);
  return [...order];
}
