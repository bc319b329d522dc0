import type { GraphBuilder } from './graph.js';
import { quantizedMatMul } from './int8.js';
import type { Floats } from './weight.js';

/** eps of the encoder's layer norms. */
export const ENCODER_EPS = 1e-6;
/** eps of the transformer's layer norms. */
export const TRANSFORMER_EPS = 1e-5;

/** How layers are written. */
export interface LayerOptions {
  /** Quantise the constant side of matrix products to 8 bits. */
  readonly int8: boolean;
}

/** Layers of neural networks as ONNX nodes. Values are names; `weights` are loaded when written. */
export type Layers = ReturnType<typeof createLayers>;

/** Layer functions over a graph that is being built. */
export function createLayers(g: GraphBuilder, { int8 }: LayerOptions) {
  const add = (a: string, b: string) => g.node('Add', [a, b]);
  const transpose = (x: string, perm: readonly number[]) => g.node('Transpose', [x], { perm });

  /** x [.., inputs] times a constant [inputs, outputs]. */
  function matMul(x: string, name: string, inputs: number, outputs: number, load: () => Floats) {
    if (int8) return quantizedMatMul(g, x, name, inputs, outputs, load);
    return g.node('MatMul', [x, g.weight(name, [inputs, outputs], load)]);
  }

  return {
    g,
    add,
    transpose,
    matMul,
    /** a [rows, inputs] times b [inputs, outputs] plus c, broadcast. */
    gemm: (a: string, b: string, c: string) => g.node('Gemm', [a, b, c]),
    /** x [rows, inputs] times a constant [inputs, outputs] plus a constant vector. */
    dense: (
      x: string,
      name: string,
      inputs: number,
      outputs: number,
      { weight, bias }: { readonly weight: () => Floats; readonly bias: () => Floats },
    ) => {
      const shift = g.weight(`${name}.bias`, [outputs], bias);
      if (int8) return add(matMul(x, `${name}.weight`, inputs, outputs, weight), shift);
      return g.node('Gemm', [x, g.weight(`${name}.weight`, [inputs, outputs], weight), shift]);
    },
    relu: (x: string) => g.node('Relu', [x]),
    toNhwc: (x: string) => transpose(x, [0, 2, 3, 1]),
    toNchw: (x: string) => transpose(x, [0, 3, 1, 2]),
    reshape: (x: string, shape: readonly number[]) => g.node('Reshape', [x, g.integers(shape)]),
    softmax: (x: string) => g.node('Softmax', [x], { axis: -1 }),
    concat: (parts: readonly string[], axis: number) => g.node('Concat', parts, { axis }),
    vector: (name: string, size: number, load: () => Floats) => g.weight(name, [size], load),

    /** Exact GELU: x / 2 (1 + erf(x / sqrt 2)); onnxruntime recognises this very pattern. */
    gelu: (x: string) => {
      const erf = g.node('Erf', [g.node('Div', [x, g.floats([Math.SQRT2], [])])]);
      const gate = g.node('Mul', [x, g.node('Add', [erf, g.floats([1], [])])]);
      return g.node('Mul', [gate, g.floats([0.5], [])]);
    },

    /** Layer norm over the last axis; without a scale it only normalises. */
    layerNorm: (x: string, size: number, epsilon: number, affine?: readonly [string, string]) => {
      const scale = affine?.[0] ?? g.floats(new Array(size).fill(1));
      const inputs = affine ? [x, scale, affine[1]] : [x, scale];
      return g.node('LayerNormalization', inputs, { axis: -1, epsilon });
    },

    conv: (
      x: string,
      weight: string,
      bias: string | undefined,
      { kernel, stride = 1, pad = 0, group = 1 }: ConvOptions,
    ) =>
      g.node('Conv', bias === undefined ? [x, weight] : [x, weight, bias], {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        group,
      }),

    /**
     * Pixel shuffle (channel = c r^2 + a r + b), then the mean of each pixel and its left, upper
     * and upper left neighbour, edges repeated.
     */
    shuffleAndBlur: (x: string, factor: number) => {
      const big = g.node('DepthToSpace', [x], { blocksize: factor, mode: 'CRD' });
      const padded = g.node('Pad', [big, g.integers([0, 0, 1, 1, 0, 0, 0, 0])], { mode: 'edge' });
      return g.node('AveragePool', [padded], { kernel_shape: [2, 2], strides: [1, 1] });
    },
  };
}

interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
}
