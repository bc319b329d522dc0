import { CheckpointUnfit } from '../../studio/errors/index.js';
import { buildFoldedDdcolor } from './ddcolor-folded.js';
import { buildPlainDdcolor } from './ddcolor-plain.js';
import { type DdcolorShape, inferDdcolorShape } from './ddcolor-shape.js';
import { createDdcolorWeights } from './ddcolor-weights.js';
import { createGraphBuilder, type Graph, type WeightStorage } from './graph.js';
import { createLayers } from './layers.js';
import type { Weight } from './weight.js';

/** How a checkpoint becomes a graph. */
export interface DdcolorBuildOptions {
  /** Attention heads, which no shape tells. 8 in all official files. */
  readonly heads?: number;
  /** How weights lie in the file; they are computed with as float32. Default float32. */
  readonly storage?: WeightStorage;
  /** Quantise matrix products to 8 bits: faster, less exact. Default false. */
  readonly int8?: boolean;
  /** Accept weights the network has no place for. Default false: they mean another network. */
  readonly ignoreExtraKeys?: boolean;
  /**
   * Default `folded`. `plain` follows the reference line by line, `export` keeps spectral norm in
   * the graph as well: both are for comparison.
   */
  readonly form?: 'folded' | 'plain' | 'export';
  /** Intermediate values that the plain form gives out as further outputs. */
  readonly stages?: readonly string[];
}

/** A network, ready to be written. */
export interface DdcolorBuild {
  readonly graph: Graph;
  readonly shape: DdcolorShape;
  /** Keys of the checkpoint that the network does not use. */
  readonly ignored: readonly string[];
}

/** Keys that official files carry beside the network. */
const EXPECTED_SURPLUS = /\.num_batches_tracked$|^encoder\.arch\.norm\.|^encoder\.arch\.head_cls\./;

/**
 * Turn the weights of a DDColor checkpoint into a lean ONNX graph: `input` float32
 * [1, 3, height, width], RGB 0..1, sides in multiples of 32; `output` float32
 * [1, 2, height, width], a* and b*. No number is read before the graph is written.
 * @throws {CheckpointUnfit} another network; names the first key that does not fit.
 */
export function buildDdcolor(
  weights: ReadonlyMap<string, Weight>,
  options: DdcolorBuildOptions = {},
): DdcolorBuild {
  const { heads, storage, int8 = false, form = 'folded', stages = [] } = options;
  const shape = inferDdcolorShape(weights, heads);
  const g = createGraphBuilder(storage);
  const w = createDdcolorWeights(weights);
  const context = { l: createLayers(g, { int8 }), w, shape };
  if (form === 'folded') g.rename(buildFoldedDdcolor(context, 'input'), 'output');
  else {
    const plain = buildPlainDdcolor(context, 'input', form === 'export');
    g.rename(plain.output, 'output');
    for (const stage of stages) g.rename(plain.stages.get(stage)!, stage);
  }
  const graph = g.finish(
    [{ name: 'input', shape: [1, 3, 'height', 'width'] }],
    [
      { name: 'output', shape: [1, shape.outputs, 'height', 'width'] },
      ...stages.map((name) => ({ name })),
    ],
  );
  const ignored = w.unused();
  if (!options.ignoreExtraKeys) refuseUnknown(ignored);
  return { graph, shape, ignored };
}

function refuseUnknown(unused: string[]) {
  const unknown = unused.find((key) => !EXPECTED_SURPLUS.test(key));
  if (unknown !== undefined) throw new CheckpointUnfit(unknown, 'no such weight', 'one');
}
