/**
 * Compare onnxruntime-node with PyTorch's answers, and time the model.
 *
 *   node training/parity.mjs models/starter/starter.onnx /tmp/parity
 *
 * Reads the folder written by export.py --parity. Exits 1 when any a*b* differs by more than the tolerance
 * (weights are stored as float16, so the answers are not bit-equal).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

const TOLERANCE = 1.0; // a*b* units; the eye sees about 2
const MEAN_TOLERANCE = 0.1;
const [file, folder] = process.argv.slice(2);
if (!file || !folder) {
  console.error('usage: node parity.mjs MODEL.onnx PARITY_FOLDER (written by export.py --parity)');
  process.exit(2);
}

const floats = (name) => {
  const bytes = readFileSync(join(folder, name));
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  );
};

const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 2 });
let failed = false;
for (const { file: name, batch, height, width } of JSON.parse(
  readFileSync(join(folder, 'cases.json'), 'utf8'),
)) {
  const input = new ort.Tensor('float32', floats(`${name}.input.f32`), [batch, 3, height, width]);
  const expected = floats(`${name}.output.f32`);
  const { output } = await session.run({ input });
  const shape = [batch, 2, height, width].join('x');
  if (output.dims.join('x') !== shape)
    throw new Error(`output ${output.dims.join('x')}, expected ${shape}`);
  let worst = 0;
  let sum = 0;
  output.data.forEach((value, i) => {
    const error = Math.abs(value - expected[i]);
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    sum += error;
  });
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const begun = performance.now();
    await session.run({ input });
    best = Math.min(best, performance.now() - begun);
  }
  const mean = sum / expected.length;
  const bad = worst > TOLERANCE || mean > MEAN_TOLERANCE;
  failed ||= bad;
  console.log(
    `${bad ? 'FAIL' : 'ok  '} ${batch}x3x${height}x${width}: worst ${worst.toFixed(4)}, mean ${mean.toFixed(5)}, ${best.toFixed(0)} ms`,
  );
}
process.exitCode = failed ? 1 : 0;
