import type { InferenceSession } from 'onnxruntime-node';
import type { ResultNote } from '../../studio/ports/colorizer.js';

/** Name of a provider as people write it -> as onnxruntime knows it. */
const ALIASES: Readonly<Record<string, string>> = { directml: 'dml', gpu: 'cuda', nvidia: 'cuda' };

/** Configured order, cleaned: lower case, aliases, no doubles, `cpu` always last resort. */
export function providerOrder(configured: readonly string[]): string[] {
  const names = configured.map((name) => ALIASES[name.toLowerCase()] ?? name.toLowerCase());
  return [...new Set([...names.filter(Boolean), 'cpu'])];
}

/** Session options of one provider, settled by measurement. */
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
    // Without the arena every run asks the system for its memory again: DDColor-tiny at 512 px then
    // takes 1.3 s instead of 0.7.
    enableCpuMemArena: true,
    // The pattern is a second block beside the arena's: 870 MB instead of 610 for the same, and it
    // grows with every new input size.
    enableMemPattern: false,
    extra: { session: { force_spinning_stop: '1' } },
    logSeverityLevel: 3,
  };
}

function withDevice(provider: string, deviceId: number): InferenceSession.ExecutionProviderConfig {
  if (provider === 'cuda') return { name: 'cuda', deviceId };
  if (provider === 'dml') return { name: 'dml', deviceId };
  return provider;
}

/** Why a provider is not used, and what to do about it. */
export interface ProviderFault {
  readonly provider: string;
  /** Message in config/messages, `inference.provider.<cause>`. */
  readonly cause:
    | 'notBuiltIn'
    | 'cudaLibraries'
    | 'cudaKernels'
    | 'cudaDriver'
    | 'webgpuAdapter'
    | 'crashed'
    | 'other';
  /** The runtime's own words, one line. */
  readonly reason: string;
}

const KNOWN_FAULTS: readonly (readonly [string, RegExp, ProviderFault['cause']])[] = [
  ['', /^not in this build/, 'notBuiltIn'],
  ['cuda', /no kernel image/i, 'cudaKernels'],
  ['cuda', /driver version is insufficient/i, 'cudaDriver'],
  ['cuda', /shared library|load library|cannot open shared object|\.dll/i, 'cudaLibraries'],
  ['webgpu', /adapter/i, 'webgpuAdapter'],
];

/**
 * Why a provider does not work, from the runtime's words. @param reason its message; one line is
 * kept.
 */
export function providerFault(provider: string, reason: string): ProviderFault {
  const known = KNOWN_FAULTS.find(
    ([name, pattern]) => (name === '' || name === provider) && pattern.test(reason),
  );
  const line = reason.split('\n', 1)[0]!.slice(0, 300);
  return { provider, cause: known?.[2] ?? 'other', reason: line };
}

/** The same for the people who read a result. */
export function faultNote({ provider, cause, reason }: ProviderFault): ResultNote {
  return { key: `inference.provider.${cause}`, params: { provider, reason } };
}
