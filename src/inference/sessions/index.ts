export { EXPECTED_CONTRACT, type ModelContract } from './contract.js';
export { createInferenceHost } from './host.js';
export { chooseInputSize, DEFAULT_SIZE_PX, nearestSize, type SizeChoice } from './size-policy.js';
export type {
  HostConfig,
  HostDeps,
  HostEvent,
  HostPrediction,
  HostStatus,
  InferenceHost,
  PredictRequest,
} from './types.js';
