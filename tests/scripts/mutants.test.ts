import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/cli/package-root.js';

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly old: string;
  readonly new: string;
  readonly tests: readonly string[];
}

const folder = path.join(packageRoot, 'scripts/mutants');
const lists = readdirSync(folder).filter((name) => name.endsWith('.json'));
const mutants = lists.flatMap(
  (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Mutant[],
);

/** Who changed a line that a fault is put into finds its new words in the lists, or deletes it. */
test('every fault of scripts/mutants still fits the sources: its text occurs once', () => {
  const unfit = mutants.flatMap(({ name, file, old }) => {
    const place = path.join(packageRoot, file);
    const times = existsSync(place) ? readFileSync(place, 'utf8').split(old).length - 1 : 0;
    return times === 1 ? [] : [`"${name}": ${times} times in ${file}`];
  });
  expect(unfit).toEqual([]);
});

test('every fault changes something, has a name of its own and a test file near it', () => {
  const faults = mutants.flatMap((mutant) => [
    ...(mutant.old === mutant.new ? [`"${mutant.name}" changes nothing`] : []),
    ...(mutant.tests.length === 0 ? [`"${mutant.name}" has no tests`] : []),
    ...mutant.tests
      .filter((test) => !existsSync(path.join(packageRoot, test)))
      .map((test) => `"${mutant.name}": no ${test}`),
  ]);
  expect(faults).toEqual([]);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  // Fifty, beside those that were once found alive.
  expect(mutants.length).toBeGreaterThanOrEqual(64);
});
