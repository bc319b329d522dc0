import type { InferenceSession } from 'onnxruntime-node';

/** Name of a provider as people write it -> as onnxruntime knows it. */
const ALIASES: Readonly<Record<string, string>> = { directml: 'dml', gpu: 'cuda', nvidia: 'cuda' };

/** Configured order, cleaned: lower case, aliases, no doubles, `cpu` always last resort. */
export function providerOrder(configured: readonly string[]): string[] {
  const names = configured.map((name) => ALIASES[name.toLowerCase()] ?? name.toLowerCase());
  return [...new Set([...names.filter(Boolean), 'cpu'])];
}

/** Session options of one provider, settled by measurement (bench/host.ts). */
export function sessionOptions(
  provider: string,
  threads: number,
  deviceId: number,
): InferenceSession.SessionOptions {
  return {
    executionProviders: provider === 'cpu' ? ['cpu'] : [withDevice(provider, deviceId), 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // The arena keeps the peak for ever; without it DDColor-tiny at 512 px needs 1.0, not 1.6 GB.
    enableCpuMemArena: false,
    // On CUDA the pattern cache grows with every new input size.
    enableMemPattern: provider === 'cpu',
    logSeverityLevel: 3,
  };
}

function withDevice(provider: string, deviceId: number): InferenceSession.ExecutionProviderConfig {
  if (provider === 'cuda') return { name: 'cuda', deviceId };
  if (provider === 'dml') return { name: 'dml', deviceId };
  return provider;
}

/** One line: why the provider is not used and what to do about it. */
export function providerAdvice(provider: string, reason: string): string {
  const first = reason.split('\n', 1)[0]!.slice(0, 300);
  if (provider === 'cuda' && /shared library|load library|not available|\.so|\.dll/i.test(reason))
    return 'the CUDA libraries are not installed; run scripts/install-gpu.sh, then huancai doctor (docs/gpu.md)';
  if (provider === 'cuda' && /no kernel image/i.test(reason))
    return 'this build of onnxruntime has no kernels for the card; a CUDA 12 build is needed (docs/gpu.md)';
  if (provider === 'cuda' && /driver version is insufficient/i.test(reason))
    return 'the NVIDIA driver is too old for CUDA 12; version 525 or newer is needed (docs/gpu.md)';
  if (provider === 'webgpu' && /adapter/i.test(reason))
    return 'no WebGPU adapter: a Vulkan driver (Linux), Metal or Direct3D 12 is needed (docs/gpu.md)';
  return first;
}
