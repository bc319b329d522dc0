/**
 * Texts by which runtimes and drivers say that memory ran out: onnxruntime's arena and CPU
 * allocator, CUDA, cuBLAS, cuDNN, WebGPU (Dawn), Direct3D and V8.
 */
const PATTERNS = [
  /bad[_ ]alloc/i,
  /out of memory/i,
  /failed to allocate memory/i,
  /smaller than requested bytes/i,
  /STATUS_ALLOC_FAILED/,
  /E_OUTOFMEMORY|0x8007000E/i,
  /array buffer allocation failed/i,
  /invalid (typed )?array length/i,
  /memory allocation (failure|failed)/i,
  /cannot allocate memory/i,
];

/** Whether a runtime's or driver's words mean that memory ran out. */
export function saysOutOfMemory(text: string): boolean {
  return PATTERNS.some((pattern) => pattern.test(text));
}
