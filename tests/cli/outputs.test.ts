import path from 'node:path';
import {
  filesOf,
  formatOf,
  type OutputOptions,
  planOutputs,
} from '../../src/cli/colorize/outputs.js';
import { WrongUse } from '../../src/cli/errors.js';

const cwd = path.resolve('/photos');

function plan(names: string[], options: Partial<OutputOptions> = {}) {
  const photos = names.map((relative) => ({
    file: path.join(cwd, 'in', relative),
    relative,
    named: false,
  }));
  return planOutputs(photos, { cwd, compare: false, variants: 1, ...options });
}

const outputs = (names: string[], options?: Partial<OutputOptions>) =>
  plan(names, options).map((task) => path.relative(cwd, task.output));

test('without -o the result lies beside the photo under another name', () => {
  expect(outputs(['a.JPG', 'sub/b.tif'])).toEqual(['in/a-colour.JPG', 'in/sub/b-colour.tif']);
});

test('with a folder the names and folders of the input are kept', () => {
  expect(outputs(['a.jpg', 'sub/b.png'], { output: 'out' })).toEqual([
    'out/a.jpg',
    'out/sub/b.png',
  ]);
});

test('one photo and a file name: that file', () => {
  expect(outputs(['a.jpg'], { output: 'x/result.png' })).toEqual(['x/result.png']);
  expect(plan(['a.jpg'], { output: 'x/result.png' })[0]!.format).toBe('png');
  expect(() => plan(['a.jpg'], { output: 'r.png', format: 'jpeg' })).toThrow(WrongUse);
});

test('the format changes the extension, and a format we cannot write becomes JPEG', () => {
  expect(outputs(['a.tif', 'b.gif'], { output: 'o', format: 'png' })).toEqual([
    'o/a.png',
    'o/b.png',
  ]);
  expect(outputs(['b.gif'], { output: 'o' })).toEqual(['o/b.jpg']);
  expect(formatOf('x.JPEG')).toBe('jpeg');
  expect(formatOf('x.gif')).toBeUndefined();
});

test('photos that would share a result keep their whole names, in whatever order', () => {
  const options = { output: 'o', format: 'jpeg' } as const;
  expect(outputs(['a.jpg', 'a.png', 'c.png'], options)).toEqual([
    'o/a.jpg.jpg',
    'o/a.png.jpg',
    'o/c.jpg',
  ]);
  expect(outputs(['a.png', 'a.jpg'], options)).toEqual(['o/a.png.jpg', 'o/a.jpg.jpg']);
  // The same file on a file system that ignores case.
  expect(outputs(['B.jpg', 'b.JPG'], { output: 'o' })).toEqual(['o/B.jpg.jpg', 'o/b.JPG.JPG']);
});

test('variants are numbered beside a contact sheet, the comparison beside them', () => {
  const [task] = plan(['a.png'], { output: 'o', variants: 2, compare: true });
  expect(filesOf(task!).map((file) => path.relative(cwd, file))).toEqual([
    'o/a-1.png',
    'o/a-2.png',
    'o/a-variants.jpg',
    'o/a-compare.png',
  ]);
});
