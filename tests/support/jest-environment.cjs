const { TestEnvironment } = require('jest-environment-node');

// onnxruntime checks `instanceof Float32Array` against the outer realm's constructors; jest's
// sandbox has its own. Hand the outer ones in, or every tensor is refused.
const NAMES = [
  'ArrayBuffer',
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
];

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of NAMES) this.global[name] = globalThis[name];
    // Its binding may be set up once per process, not once per test file: onnxruntime.cjs asks here.
    this.global[Symbol.for('huancai.onnxruntime')] = () => require('onnxruntime-node');
  }
};
