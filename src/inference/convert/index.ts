/** Models from others made ours: DDColor checkpoints to ONNX, ONNX exports made lean. */
export { checkInt8 } from './check-int8.js';
export { chooseDdcolor } from './choose-ddcolor.js';
export {
  type ConvertOptions,
  convertCheckpoint,
} from './convert-checkpoint.js';
export { optimizeOnnx } from './optimize-onnx.js';
export { photoDifferences } from './photo-difference.js';
