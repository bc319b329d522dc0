import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/cli/package-root.js';
import { jobNames } from '../../src/studio/jobs.js';
import { statesUnderWay } from '../../src/studio/photo.js';
import { channelNames } from '../../src/studio/ports/basics.js';
import { blobKinds } from '../../src/studio/ports/blobs.js';
import { methodNames } from '../../src/studio/ports/gateway.js';

/** Lists that are read from a table are typed nowhere else: a copy would not hear of a new member. */
const tables: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  // The table of the channels names the ways to pay that suit each: the compiler checks those.
  ['ways to pay', methodNames, ['studio/ports/gateway.ts', 'studio/ports/basics.ts']],
  ['channels', channelNames, ['studio/ports/basics.ts']],
  ['jobs', jobNames, ['studio/jobs.ts']],
  ['photo states under way', statesUnderWay, ['studio/photo.ts']],
  ['kinds of blobs', Object.keys(blobKinds), ['studio/ports/blobs.ts', 'studio/ports/expiry.ts']],
];

/** Two names of a table side by side, as members of a list or of a union. */
function copiesIn(text: string, names: readonly string[]): string[] {
  const name = `'(?:${names.join('|')})'`;
  return text.match(new RegExp(`${name}\\s*[,|]\\s*${name}`, 'g')) ?? [];
}

/** Migrations are history; api-types.ts is written by a command and checked by a test of its own. */
const sources = readdirSync(path.join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => name.split(path.sep).join('/'))
  .filter((name) => /\.tsx?$/.test(name))
  .filter((name) => !name.startsWith('storage/migrations/') && name !== 'web/api-types.ts')
  .map((name) => ({ name, text: readFileSync(path.join(packageRoot, 'src', name), 'utf8') }));

test.each(tables)('%s are listed in their table alone', (_what, names, homes) => {
  const copies = sources
    .filter(({ name }) => !homes.includes(name))
    .flatMap(({ name, text }) => copiesIn(text, names).map((copy) => `${name}: ${copy}`));
  expect(copies).toEqual([]);
});

test('a copy is seen, in a list, a union and over lines', () => {
  const copy = "['sandbox',\n 'alipay'] as ('stars' | 'credits')[]; f('stars', x)";
  expect(copiesIn(copy, methodNames)).toEqual(["'sandbox',\n 'alipay'", "'stars' | 'credits'"]);
});
