import { z } from 'zod';
import { type GraphFault, graphFault, WorkflowInvalid } from './errors.js';
import type { GraphNode, Link } from './node-run.js';
import { type NodeType, nodeTypes } from './node-types.js';

/** A node with what its class says about it. */
export interface WorkflowNode extends GraphNode {
  readonly type: NodeType;
}

/** A graph that was checked and put in order. */
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
  const faults: GraphFault[] = [];
  const nodes = new Map<string, WorkflowNode>();
  for (const id of Object.keys(graph)) {
    const node = readNode(id, graph, faults);
    if (node) nodes.set(id, node);
  }
  const outputs = [...nodes.values()].filter((node) => node.type.output === 'none');
  if (faults.length === 0 && outputs.length === 0) {
    const text = 'no node gives a result: add SaveImage or PreviewImage';
    faults.push(graphFault('noResult', text));
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
    const { message: reason } = error as Error;
    throw new WorkflowInvalid(name, [graphFault('notJson', `not JSON: ${reason}`, { reason })]);
  }
  const canvas = z.object({ nodes: z.array(z.unknown()), links: z.array(z.unknown()) });
  if (canvas.safeParse(json).success) {
    const advice =
      'this is the canvas, not the graph: in ComfyUI use "Export (API)" (older: "Save (API Format)")';
    throw new WorkflowInvalid(name, [graphFault('canvas', advice)]);
  }
  const graph = graphSchema.safeParse(json);
  if (graph.success && Object.keys(graph.data).length > 0) return graph.data;
  const example = '{"1": {"class_type": "LoadImage", "inputs": {...}}, ...}';
  const wanted = `expected ComfyUI's API format: ${example}`;
  throw new WorkflowInvalid(name, [graphFault('format', wanted, { example })]);
}

function readNode(id: string, graph: Graph, faults: GraphFault[]): WorkflowNode | undefined {
  const { class_type, inputs } = graph[id]!;
  const name = `node ${id} (${class_type})`;
  const type = nodeTypes[class_type];
  if (!type) {
    const known = Object.keys(nodeTypes).join(', ');
    const text = `${name}: unknown node; known are ${known}`;
    faults.push(graphFault('unknownNode', text, { id, type: class_type, known }));
    return undefined;
  }
  const links: Record<string, Link> = {};
  for (const input of type.images) {
    const link = readLink(inputs[input]);
    const fault = linkFault(link, graph);
    if (link && !fault) links[input] = { node: link.node };
    if (!fault) continue;
    const { node = '', slot = 0 } = link ?? {};
    const params = { id, type: class_type, input, node, slot };
    faults.push(graphFault(fault.name, `${name}: input "${input}" ${fault.text}`, params));
  }
  const values = type.values.safeParse(inputs);
  if (!values.success) {
    for (const issue of values.error.issues) {
      const input = issue.path.join('.');
      const text = `${name}: input "${input}": ${issue.message}`;
      const params = { id, type: class_type, input, reason: issue.message };
      faults.push(graphFault('value', text, params));
    }
    return undefined;
  }
  return { id, type, name, links, values: values.data as WorkflowNode['values'] };
}

interface Slot {
  readonly node: string;
  readonly slot: number;
}

function linkFault(link: Slot | undefined, graph: Graph) {
  if (!link) return { name: 'unconnected', text: 'is not connected to an image' };
  const { node, slot } = link;
  if (!graph[node]) return { name: 'deadLink', text: `comes from node ${node}, which is missing` };
  const gives = nodeTypes[graph[node].class_type]?.output;
  if (slot === 0 && gives !== 'none') return undefined;
  return { name: 'noImage', text: `takes output ${slot} of node ${node}, which is not an image` };
}

function readLink(value: unknown): Slot | undefined {
  const link = z.tuple([z.union([z.string(), z.number()]), z.int().min(0)]).safeParse(value);
  return link.success ? { node: String(link.data[0]), slot: link.data[1] } : undefined;
}

/** Depth first from the outputs, as ComfyUI does: what leads nowhere is not run. */
function inOrder(
  outputs: WorkflowNode[],
  nodes: ReadonlyMap<string, WorkflowNode>,
  faults: GraphFault[],
): WorkflowNode[] {
  const order = new Set<WorkflowNode>();
  const visit = (node: WorkflowNode, trail: WorkflowNode[]): void => {
    const at = trail.indexOf(node);
    if (at >= 0) {
      const cycle = [...trail.slice(at), node].map((one) => one.id).join(' -> ');
      faults.push(graphFault('cycle', `the nodes form a cycle: ${cycle}`, { cycle }));
      return;
    }
    if (order.has(node)) return;
    for (const link of Object.values(node.links)) visit(nodes.get(link.node)!, [...trail, node]);
    order.add(node);
  };
  for (const node of outputs) visit(node, []);
  return [...order];
}
