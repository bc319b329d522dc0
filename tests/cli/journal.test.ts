import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { journalName, openJournal } from '../../src/cli/colorize/journal.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-journal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const now = () => '2026-01-01T00:00:00.000Z';
const at = (name: string) => path.join(dir, name);

test('what is done is remembered by the next run, until its file changes or goes', () => {
  writeFileSync(at('a.jpg'), 'picture');
  const first = openJournal(dir, now);
  first.start('k1', [at('a.jpg')]);
  first.done('k1', [at('a.jpg')]);
  first.close();

  const next = openJournal(dir, now);
  expect(next.isDone('k1', [at('a.jpg')])).toBe(true);
  expect(next.isDone('k2', [at('a.jpg')])).toBe(false);
  expect(next.isDone('k1', [at('b.jpg')])).toBe(false);
  writeFileSync(at('a.jpg'), 'cut');
  expect(next.isDone('k1', [at('a.jpg')])).toBe(false);
  rmSync(at('a.jpg'));
  expect(next.isDone('k1', [at('a.jpg')])).toBe(false);
});

test('work of several files is done only as a whole', () => {
  writeFileSync(at('a-1.jpg'), '1');
  writeFileSync(at('a-2.jpg'), '2');
  const journal = openJournal(dir, now);
  journal.done('k', [at('a-1.jpg'), at('a-2.jpg')]);
  journal.close();
  const next = openJournal(dir, now);
  expect(next.isDone('k', [at('a-1.jpg'), at('a-2.jpg')])).toBe(true);
  expect(next.isDone('k', [at('a-1.jpg')])).toBe(false);
});

test('a file begun by a killed run is ours to replace; a stranger is not', () => {
  const journal = openJournal(dir, now);
  journal.start('k', [at('a.jpg')]);
  journal.close();
  const next = openJournal(dir, now);
  expect(next.isDone('k', [at('a.jpg')])).toBe(false);
  expect(next.isOurs('k', at('a.jpg'))).toBe(true);
  expect(next.isOurs('k', at('b.jpg'))).toBe(false);
  expect(next.isOurs('other options', at('a.jpg'))).toBe(false);
});

test('a line torn by a crash costs that line alone, also when writing goes on after it', () => {
  writeFileSync(at('a.jpg'), 'a');
  writeFileSync(at('b.jpg'), 'b');
  const first = openJournal(dir, now);
  first.done('a', [at('a.jpg')]);
  first.close();
  appendFileSync(at(journalName), '{"event":"done","key":"torn","fi');
  const second = openJournal(dir, now);
  expect(second.isDone('a', [at('a.jpg')])).toBe(true);
  second.done('b', [at('b.jpg')]);
  second.close();
  const third = openJournal(dir, now);
  expect(third.isDone('a', [at('a.jpg')])).toBe(true);
  expect(third.isDone('b', [at('b.jpg')])).toBe(true);
});

test('paths are relative, so that a folder of results can be moved', () => {
  writeFileSync(at('a.jpg'), 'a');
  const journal = openJournal(dir, now);
  journal.done('k', [at('a.jpg')]);
  journal.close();
  expect(readFileSync(at(journalName), 'utf8')).not.toContain(dir);
});
