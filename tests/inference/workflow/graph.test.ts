import { WorkflowInvalid } from '../../../src/inference/workflow/errors.js';
import { parseWorkflow } from '../../../src/inference/workflow/graph.js';

const load = { class_type: 'LoadImage', inputs: { image: 'a.jpg' } };
const save = (from: string) => ({ class_type: 'SaveImage', inputs: { images: [from, 0] } });
const scale = (from: string, more = {}) => ({
  class_type: 'ImageScaleBy',
  inputs: { image: [from, 0], upscale_method: 'lanczos', scale_by: 2, ...more },
});

const parse = (graph: unknown) => parseWorkflow(JSON.stringify(graph), 'test.json');

function faultsOf(graph: unknown): string {
  try {
    parse(graph);
  } catch (error) {
    if (error instanceof WorkflowInvalid) return error.faults.join('\n');
    throw error;
  }
  return '';
}

test('nodes run after what they take from, whatever the order of the file', () => {
  const graph = { '9': save('5'), '5': scale('7'), '7': scale('1'), '1': load };
  expect(parse(graph).nodes.map((node) => node.id)).toEqual(['1', '7', '5', '9']);
});

test('what leads to no output does not run', () => {
  const graph = { '1': load, '2': scale('1'), '3': save('1') };
  expect(parse(graph).nodes.map((node) => node.id)).toEqual(['1', '3']);
});

test("ComfyUI's defaults hold where a graph is silent, and its own additions are ignored", () => {
  const { nodes } = parse({
    '1': { ...load, inputs: { image: 'a.jpg', upload: 'image' }, _meta: { title: 'Photo' } },
    '2': { class_type: 'ImageSharpen', inputs: { image: ['1', 0] } },
    '3': save('2'),
  });
  expect(nodes[1]!.values).toEqual({ sharpen_radius: 1, sigma: 1, alpha: 1 });
});

test('every unknown node is named', () => {
  const faults = faultsOf({
    '1': load,
    '4': { class_type: 'KSampler', inputs: {} },
    '6': { class_type: 'FaceRestore', inputs: { image: ['1', 0] } },
    '7': save('6'),
  });
  expect(faults).toMatch(
    /node 4 \(KSampler\): unknown node; known are LoadImage, .*DDColor_Colorize/,
  );
  expect(faults).toMatch(/node 6 \(FaceRestore\): unknown node/);
});

test('missing links, dead links and links to no image are named', () => {
  expect(
    faultsOf({ '1': load, '2': { class_type: 'ImageInvert', inputs: {} }, '3': save('2') }),
  ).toBe('node 2 (ImageInvert): input "image" is not connected to an image');
  expect(faultsOf({ '3': save('8') })).toMatch(
    /input "images" comes from node 8, which is missing/,
  );
  expect(faultsOf({ '1': load, '2': save('1'), '3': save('2') })).toMatch(/which is not an image/);
  expect(
    faultsOf({ '1': load, '2': { class_type: 'SaveImage', inputs: { images: ['1', 1] } } }),
  ).toMatch(/takes output 1 of node 1, which is not an image/);
});

test('a cycle is named node by node', () => {
  expect(faultsOf({ '1': scale('2'), '2': scale('1'), '3': save('2') })).toMatch(
    /cycle: 2 -> 1 -> 2/,
  );
});

test('values out of range are named', () => {
  expect(faultsOf({ '1': load, '2': scale('1', { scale_by: 99 }), '3': save('2') })).toMatch(
    /node 2 \(ImageScaleBy\): input "scale_by"/,
  );
});

test('a graph without a result says so', () => {
  expect(faultsOf({ '1': load })).toMatch(/add SaveImage/);
});

test.each([
  ['{', /not JSON/],
  ['[]', /API format/],
  ['{}', /API format/],
  ['{"nodes": [], "links": []}', /Export \(API\)/],
])('%s is refused with what to do', (text, expected) => {
  expect(() => parseWorkflow(text, 'x.json')).toThrow(expected);
});
