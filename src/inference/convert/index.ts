/** Models from others made ours: DDColor checkpoints to ONNX, ONNX exports made lean. */
export { chooseDdcolor } from './choose-ddcolor.js';
export {
  type ConvertOptions,
  convertCheckpoint,
} from './convert-checkpoint.js';
export { optimizeOnnx } from './optimize-onnx.js';
export { photoDifferences } from './photo-difference.js';
