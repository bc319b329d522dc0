import { codeOf, PhotoUnreadable, systemCodeOf } from '../../src/studio/errors/index.js';

test('our faults have a stable code, all else is unexpected', () => {
  expect(codeOf(new PhotoUnreadable('cut short'))).toBe('PHOTO_UNREADABLE');
  for (const other of [
    new Error('x'),
    Object.assign(new Error('x'), { code: 'ENOENT' }),
    'x',
    null,
  ])
    expect(codeOf(other)).toBe('UNEXPECTED');
});

test('the name a system gives a fault, where it gives one', () => {
  expect(systemCodeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
  for (const none of [new Error('x'), { code: 40001 }, 'x', null, undefined])
    expect(systemCodeOf(none)).toBeUndefined();
});
