import { chooseCheckpoint } from '../../../src/inference/workflow/checkpoints.js';

const models = [
  { id: 'starter', installed: true },
  { id: 'ddcolor-modelscope', installed: false },
  { id: 'ddcolor-artistic', installed: true },
  { id: 'ddcolor-tiny-fp16', installed: true },
  { id: 'ddcolor-tiny', installed: true, entry: { file: 'ddcolor_paper_tiny.pth' } },
];

test.each([
  ['ddcolor_artistic.pth', 'ddcolor-artistic', false],
  ['models/DDColor_Artistic.onnx', 'ddcolor-artistic', false],
  ['ddcolor_paper_tiny.pth', 'ddcolor-tiny', false],
  ['ddcolor_tiny.pth', 'ddcolor-tiny', false],
  ['ddcolor_tiny_fp16.safetensors', 'ddcolor-tiny-fp16', false],
  // In the catalog but not here.
  ['ddcolor_modelscope.pth', 'starter', true],
  ['something_else.pth', 'starter', true],
  [undefined, 'starter', false],
])('%s runs %s', (checkpoint, model, substituted) => {
  expect(chooseCheckpoint(checkpoint, models, 'starter')).toEqual({ model, substituted });
});
