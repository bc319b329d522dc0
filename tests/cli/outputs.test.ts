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
  const [upper, lower] = outputs(['B.jpg', 'b.JPG'], { output: 'o' });
  expect(upper).toMatch(/^o\/B-[0-9a-f]{8}\.jpg$/);
  expect(lower).toMatch(/^o\/b-[0-9a-f]{8}\.JPG$/);
  expect(upper!.slice(4, 12)).not.toBe(lower!.slice(4, 12));
});

describe('photos of one name from several folders', () => {
  const planAll = (files: string[], options: Partial<OutputOptions> = {}) => {
    const photos = files.map((file) => {
      const [root, ...rest] = file.split(':');
      const relative = rest.join('/');
      return { file: path.join(cwd, root!, relative), relative, named: false };
    });
    return planOutputs(photos, { cwd, compare: false, variants: 1, ...options });
  };
  const below = (files: string[], options?: Partial<OutputOptions>) =>
    planAll(files, options).map(({ output }) => path.relative(cwd, output));

  test('keep their folders', () => {
    const options = { output: 'o' };
    expect(below(['a:x.jpg', 'b/c:x.jpg', 'b/c:y.jpg'], options)).toEqual([
      'o/a/x.jpg',
      'o/b/c/x.jpg',
      'o/y.jpg',
    ]);
    expect(below(['b/c:x.jpg', 'b/c:y.jpg', 'a:x.jpg'], options)).toEqual([
      'o/b/c/x.jpg',
      'o/y.jpg',
      'o/a/x.jpg',
    ]);
  });

  test('never share a file, whatever they are called', () => {
    const several = ['a:x.jpg', 'a:x.png', 'b:x.jpg', 'c:b/x.jpg', 'c:x-compare.jpg'];
    for (const options of [
      { output: 'o' },
      { output: 'o', compare: true },
      { output: 'o', format: 'jpeg' as const, variants: 3 },
      { format: 'webp' as const, compare: true },
    ]) {
      const files = planAll(several, options).flatMap(filesOf);
      expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(files.length);
    }
  });

  test("a comparison does not take another photo's place", () => {
    expect(below(['a:x.jpg', 'a:x-compare.jpg'], { output: 'o', compare: true })).toEqual([
      'o/x.jpg.jpg',
      'o/x-compare.jpg.jpg',
    ]);
  });
});

test('-o like one picture for several photos, or like one we cannot write, is wrong use', () => {
  expect(() => plan(['a.jpg', 'b.jpg'], { output: 'r.jpg' })).toThrow(WrongUse);
  for (const output of ['r.bmp', 'r.GIF', 'r.heic'])
    expect(() => plan(['a.jpg'], { output })).toThrow(WrongUse);
  expect(outputs(['a.jpg'], { output: 'album.2024' })).toEqual(['album.2024/a.jpg']);
  const there = { output: 'strange.jpg', outputIsFolder: true };
  expect(outputs(['a.jpg', 'b.jpg'], there)).toEqual(['strange.jpg/a.jpg', 'strange.jpg/b.jpg']);
  expect(outputs(['a.jpg'], { output: 'new.jpg/' })).toEqual(['new.jpg/a.jpg']);
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
