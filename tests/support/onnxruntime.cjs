// Stands for onnxruntime-node in tests: the one instance of this process, from outside the sandbox. A
// second initialisation of its binding in one process aborts it (1.25 and later).
module.exports = globalThis[Symbol.for('huancai.onnxruntime')]();
