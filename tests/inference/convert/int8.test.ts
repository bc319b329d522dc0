import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { openByteSource } from '../../../src/inference/convert/byte-source.js';
import { checkInt8, convertCheckpoint } from '../../../src/inference/convert/index.js';
import { readOnnx } from '../../../src/inference/convert/onnx-reader.js';
import { Int8Differs, ModelUnfit } from '../../../src/studio/errors/index.js';
import { colourNet, int8Net, writeNetwork } from '../../support/onnx-builder.js';

const mini = path.join(__dirname, '../../fixtures/ddcolor-mini/mini.pth');
const INT8 = 3;
let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'int8-'));
  file = path.join(dir, 'model.onnx');
});
afterEach(() => rmSync(dir, { recursive: true }));

test.each(['folded', 'plain', 'export'] as const)(
  'columns of quantised weights are multiples of 32: %s graph',
  async (form) => {
    await convertCheckpoint(mini, file, { heads: 2, int8: true, form });
    const source = openByteSource(file);
    const { initializers } = readOnnx(source);
    source.close();
    const widths = initializers.filter(({ type }) => type === INT8).map(({ dims }) => dims.at(-1)!);
    expect(widths.length).toBeGreaterThan(20);
    for (const width of widths) expect(width % 32).toBe(0);
  },
);

test.each(['folded', 'plain', 'export'] as const)(
  'int8 is float32 in other words on this machine: %s graph',
  async (form) => {
    await convertCheckpoint(mini, file, { heads: 2, int8: true, form });
    const { products, difference } = await checkInt8(file, 'mini');
    expect(products).toBeGreaterThan(20);
    expect(difference).toBeLessThan(0.01);
    expect(readdirSync(dir)).toEqual(['model.onnx']);
  },
);

test('a graph whose integers overflow is refused', async () => {
  expect(await checkInt8(int8Net(file, 60_000), 'net')).toMatchObject({ products: 1 });
  const error = await checkInt8(int8Net(file, 70_000), 'net').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Int8Differs);
  expect(error).toMatchObject({ code: 'INT8_DIFFERS', messageKey: 'model.int8Differs' });
  expect(readdirSync(dir)).toEqual(['model.onnx']);
});

test('nothing is run of a graph without integers', async () => {
  expect(await checkInt8(colourNet(file), 'net')).toEqual({ products: 0, difference: 0 });
});

/** Zero points and scales per tensor and per column, in every way the operators take them. */
test.each([
  [
    'QLinearMatMul',
    ['x8', 's', 'z', 'w', 'ws', 'wz', 'ys', 'yz'],
    { shape: [3, 4], per: 4, output: [1, 4] },
  ],
  ['MatMulInteger', ['x8', 'w', 'z', 'wz'], { shape: [3, 4], per: 4, output: [1, 4] }],
] as const)('%s agrees with its float32 twin', async (op, inputs, { shape, per, output }) => {
  const integer = op === 'MatMulInteger';
  writeNetwork(file, {
    inputs: [{ name: 'x', shape: [1, 3] }],
    outputs: [{ name: 'y', shape: output }],
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['x8'] },
      { op, inputs, outputs: ['y8'] },
      integer
        ? { op: 'Cast', inputs: ['y8'], outputs: ['y'], int: { to: 1 } }
        : { op: 'DequantizeLinear', inputs: ['y8', 'ys', 'yz'], outputs: ['y'] },
    ],
    weights: {
      s: { shape: [], data: Float32Array.of(1 / 255) },
      z: { shape: [], data: Uint8Array.of(3) },
      w: { shape, data: Int8Array.from({ length: 12 }, (_, i) => 17 * i - 90) },
      ws: { shape: [per], data: Float32Array.of(0.01, 0.02, 0.03, 0.04) },
      wz: { shape: [per], data: Int8Array.of(0, 0, 0, 0) },
      ys: { shape: [], data: Float32Array.of(0.05) },
      yz: { shape: [], data: Uint8Array.of(100) },
    },
  });
  const { products, difference } = await checkInt8(file, 'net');
  expect(products).toBe(2);
  expect(difference).toBeLessThan(0.05);
});

/** onnxruntime 1.24.3 is wrong for most of these on processors with AMX, from 60 rows on. */
test.each([17, 20, 24, 25, 31, 32, 33, 49, 56, 63, 72, 88, 96, 120, 152])(
  "onnxruntime's own integer products are exact on this machine: %d columns",
  async (columns) => {
    const rows = 240;
    const inputs = 64;
    const weights = Int8Array.from({ length: inputs * columns }, (_, i) => ((i * 89) % 255) - 127);
    writeNetwork(file, {
      inputs: [{ name: 'a', shape: [rows, inputs], type: 'uint8' }],
      outputs: [{ name: 'y', shape: [rows, columns], type: 'int32' }],
      nodes: [{ op: 'MatMulInteger', inputs: ['a', 'w', 'z'], outputs: ['y'] }],
      weights: {
        w: { shape: [inputs, columns], data: weights },
        z: { shape: [], data: Uint8Array.of(117) },
      },
    });
    const a = Uint8Array.from({ length: rows * inputs }, (_, i) => (i * 57 + (i >> 6)) % 256);
    const session = await InferenceSession.create(file);
    const { y } = await session.run({ a: new Tensor('uint8', a, [rows, inputs]) });
    await session.release();
    const expected = new Int32Array(rows * columns);
    for (let row = 0; row < rows; row += 1)
      for (let k = 0; k < inputs; k += 1)
        for (let column = 0; column < columns; column += 1)
          expected[row * columns + column]! +=
            (a[row * inputs + k]! - 117) * weights[k * columns + column]!;
    expect(Array.from(y!.data as Int32Array)).toEqual(Array.from(expected));
  },
);

test("onnxruntime's own operators for integers are refused by name: their meaning is not written down", async () => {
  const source = path.join(dir, 'source.onnx');
  await convertCheckpoint(mini, source, { heads: 2, int8: true });
  // As exporters write them: onnxruntime's optimised form of the graph.
  const session = await InferenceSession.create(source, { optimizedModelFilePath: file });
  await session.release();
  await expect(checkInt8(file, 'net')).rejects.toThrow(ModelUnfit);
  await expect(checkInt8(file, 'net')).rejects.toThrow(/DynamicQuantizeMatMul|MatMulInteger/);
});
