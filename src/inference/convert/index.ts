/** Models from others made ours: DDColor checkpoints to ONNX, ONNX exports made lean. */
export { chooseDdcolor, type Machine } from './choose-ddcolor.js';
export {
  type ConvertOptions,
  type ConvertResult,
  convertCheckpoint,
} from './convert-checkpoint.js';
export { type OptimizeResult, optimizeOnnx } from './optimize-onnx.js';
export { type PhotoDifference, photoDifferences } from './photo-difference.js';
