import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  buildDdcolor,
  type DdcolorBuildOptions,
} from '../../../src/inference/convert/build-ddcolor.js';
import { openCheckpoint } from '../../../src/inference/convert/checkpoint.js';
import { encodeOnnx } from '../../../src/inference/convert/onnx-writer.js';
import { maxDifference, readNpy } from '../../support/npy.js';

const mini = path.join(__dirname, '../../fixtures/ddcolor-mini');
/** The reference's own rounding is near 3e-6. */
const TOLERANCE = 2e-5;
const CASES = ['a_64x64', 'b_96x160', 'c_128x32_colour'];

async function createSession(options: DdcolorBuildOptions): Promise<InferenceSession> {
  const checkpoint = openCheckpoint(path.join(mini, 'mini.pth'));
  const { graph } = buildDdcolor(checkpoint.weights, { heads: 2, ...options });
  const bytes = encodeOnnx(graph);
  checkpoint.close();
  return await InferenceSession.create(bytes);
}

async function run(session: InferenceSession, name: string) {
  const input = readNpy(path.join(mini, `input_${name}.npy`));
  return await session.run({ input: new Tensor('float32', input.data, input.shape) });
}

function expectClose(actual: Tensor | undefined, file: string, tolerance: number) {
  const expected = readNpy(path.join(mini, file));
  expect(actual!.dims.filter((side) => side !== 1)).toEqual(
    expected.shape.filter((side) => side !== 1),
  );
  expect(maxDifference(actual!.data as Float32Array, expected.data)).toBeLessThan(tolerance);
}

describe.each(['folded', 'plain', 'export'] as const)('%s graph', (form) => {
  test.each(CASES)('agrees with the reference: %s', async (name) => {
    const { output } = await run(await createSession({ form }), name);
    expectClose(output, `output_${name}.npy`, TOLERANCE);
  });
});

test('every intermediate tensor of the plain graph agrees with the reference', async () => {
  const stages = [
    ...['stem', 'stage0', 'enc_norm0', 'enc_norm1', 'enc_norm2', 'enc_norm3'],
    ...['unet0_shuf', 'unet_out0', 'unet_out1', 'unet_out2', 'pos0', 'pos1'],
    ...['query_after_cross0', 'query_after_self0', 'query_after_layer0', 'query_after_layer1'],
    ...['query_after_layer2', 'query_after_layer3', 'color_embed', 'einsum'],
  ];
  const results = await run(await createSession({ form: 'plain', stages }), 'b_96x160');
  for (const stage of stages) expectClose(results[stage], `stages_b/${stage}.npy`, TOLERANCE);
});

test('float16 weights change the result by no more than their rounding', async () => {
  const { output } = await run(await createSession({ storage: 'float16' }), 'b_96x160');
  // The miniature's weights are rounded to 11 bits; its output spans +-3.3.
  expectClose(output, 'output_b_96x160.npy', 2e-2);
});

test('int8 products stay close', async () => {
  const { output } = await run(await createSession({ int8: true }), 'b_96x160');
  expectClose(output, 'output_b_96x160.npy', 0.5);
});

test('wrong heads give another function: the comparison is sharp enough to see it', async () => {
  const { output } = await run(await createSession({ heads: 4 }), 'b_96x160');
  const expected = readNpy(path.join(mini, 'output_b_96x160.npy'));
  expect(maxDifference(output!.data as Float32Array, expected.data)).toBeGreaterThan(1e-3);
});
