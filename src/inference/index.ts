/**
 * Huancai as a library: `require('huancai')`. Everything takes its parts and settings as plain
 * arguments; nothing reads the environment. See docs/library.md.
 */

export type { ChromaPlane } from '../studio/chroma-plane.js';
export * from '../studio/errors/base.js';
export * from '../studio/errors/model.js';
export * from '../studio/errors/photo.js';
export * from '../studio/errors/storage.js';
export type * from '../studio/ports/colorizer.js';
// Colour a photo.
export {
  type ColorizerConfig,
  type ColorizerDeps,
  createColorizer,
  type UsableModel,
} from './colorizer.js';
// Get models.
export {
  type ConvertOptions,
  type ConvertResult,
  convertCheckpoint,
} from './convert/convert-checkpoint.js';
export * from './models/index.js';
// Choose how.
export {
  type ModelSize,
  type Preset,
  type PresetName,
  presetNames,
  presetSizePx,
  readPreset,
} from './presets.js';
export * from './render/index.js';
export * from './sessions/index.js';
export { planVariants, sizesAround, type Variant, type VariantSource } from './variants.js';
// What can go wrong.
export { WorkflowInvalid } from './workflow/errors.js';

// ComfyUI workflows.
export {
  runWorkflow,
  type WorkflowDeps,
  type WorkflowOptions,
  type WorkflowResult,
} from './workflow/execute.js';
export { parseWorkflow, type Workflow } from './workflow/graph.js';
