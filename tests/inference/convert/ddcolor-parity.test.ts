import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildDdcolor } from '../../../src/inference/convert/build-ddcolor.js';
import { openCheckpoint } from '../../../src/inference/convert/checkpoint.js';
import { encodeOnnx } from '../../../src/inference/convert/onnx-writer.js';
import { maxDifference, readNpy } from '../../support/npy.js';

const mini = path.join(__dirname, '../../fixtures/ddcolor-mini');
/** The reference's own rounding is near 3e-6. */
const TOLERANCE = 2e-5;

test.each(['a_64x64', 'b_96x160', 'c_128x32_colour'])('folded graph agrees: %s', async (name) => {
  const checkpoint = openCheckpoint(path.join(mini, 'mini.pth'));
  const { graph } = buildDdcolor(checkpoint.weights, { heads: 2 });
  const session = await InferenceSession.create(encodeOnnx(graph));
  checkpoint.close();
  const input = readNpy(path.join(mini, `input_${name}.npy`));
  const { output } = await session.run({ input: new Tensor('float32', input.data, input.shape) });
  const expected = readNpy(path.join(mini, `output_${name}.npy`));
  expect(output!.dims).toEqual(expected.shape);
  const difference = maxDifference(output!.data as Float32Array, expected.data);
  expect(difference).toBeLessThan(TOLERANCE);
});
