// Puts one small fault at a time into a copy of the sources and asks whether the tests near it
// notice: npm run test:mutants [-- --only ledger] (docs/testing.md).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCopies, withFault } from './mutants/copies.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const help = `Puts one small fault at a time into a copy of the sources and runs the tests near it.
A fault that no test notices has lived.

  npm run test:mutants -- [options]

  --only <text>     faults whose name, file or list contains this
  --list            print the faults and stop
  --types           only check that every fault compiles; no tests
  --limit <s>       a fault that keeps its tests running for longer is noticed too (300)
  --at-once <n>     faults that are tried side by side, each in a copy of its own (2)
  --least <n>       lowest score in percent that is good enough (85)
  --verbose         print what the tests say
  -h, --help

Ends with 0 when the score is good enough, 1 when it is not, 2 when a fault no longer fits the
sources, does not load, or its tests fail without it, and 130 when interrupted (Ctrl+C), after
printing the score so far. The working tree is not touched.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    types: { type: 'boolean', default: false },
    limit: { type: 'string', default: '300' },
    'at-once': { type: 'string', default: '2' },
    least: { type: 'string', default: '85' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) stop(help, 0);
const leastPercent = positive('least');

const all = readMutants();
const wanted = values.only?.toLowerCase();
const mutants = all.filter(
  ({ name, file, list }) =>
    !wanted || [name, file, list].some((text) => text.toLowerCase().includes(wanted)),
);
if (mutants.length === 0) stop(`no fault is called "${values.only}"; see --list`, 2);
if (values.list) {
  stop(mutants.map(({ list, name, file }) => `${list}: ${name} (${file})`).join('\n'), 0);
}

const unfit = mutants.flatMap(faultsOf);
if (unfit.length > 0) stop(`${unfit.join('\n')}\nFind the new words, or delete the fault.`, 2);

const copies = makeCopies(root, {
  count: Math.ceil(positive('at-once')),
  limitMs: positive('limit') * 1_000,
  verbose: values.verbose,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, copies.interrupt);
process.exitCode = values.types ? await checkTypes() : await judgeAll();

/** Every list under scripts/mutants; the name of the list comes with each fault. */
function readMutants() {
  const folder = path.join(root, 'scripts/mutants');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) =>
      JSON.parse(readFileSync(path.join(folder, name), 'utf8')).map((mutant) => ({
        list: path.basename(name, '.json'),
        ...mutant,
      })),
    );
}

function faultsOf({ list, name, file, old }) {
  const source = path.join(root, file);
  const times = existsSync(source) ? readFileSync(source, 'utf8').split(old).length - 1 : 0;
  return times === 1
    ? []
    : [`${list}: "${name}": its text occurs ${times} times in ${file}, not once`];
}

/** @returns the exit code. */
async function judgeAll() {
  const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))].sort();
  console.log(`${mutants.length} faults; first their ${tests.length} test files without any`);
  await copies.each(tests, async (copy, test) => {
    const { state, by } = await copies.runTests(copy, [test]);
    if (!copies.isInterrupted() && state !== 'lived')
      stop(`${test} fails without a fault: ${by}`, 2);
  });
  const lived = [];
  const broken = [];
  let killed = 0;
  await copies.each(mutants, async (copy, mutant, index) => {
    const { state, by } = await withFault(copy, mutant, () => copies.runTests(copy, mutant.tests));
    if (copies.isInterrupted()) return;
    if (state === 'killed') killed += 1;
    else (state === 'lived' ? lived : broken).push(mutant);
    const number = `${String(index + 1).padStart(3)}/${mutants.length}`;
    console.log(`${number} ${state} ${mutant.list}: ${mutant.name}${by ? ` - ${by}` : ''}`);
  });
  return summary(killed, lived, broken);
}

function summary(killed, lived, broken) {
  for (const { list, name, file } of broken) console.log(`no load: ${list}: ${name} (${file})`);
  for (const { list, name, file } of lived) console.log(`lived: ${list}: ${name} (${file})`);
  const judged = killed + lived.length;
  const percent = judged === 0 ? 0 : (100 * killed) / judged;
  console.log(`score: ${killed} of ${judged} noticed, ${percent.toFixed(1)} %`);
  if (copies.isInterrupted()) return 130;
  if (broken.length > 0) return 2;
  return percent >= leastPercent ? 0 : 1;
}

/** A fault must be one that a hurried programmer could commit: the types are right. */
async function checkTypes() {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  let wrong = 0;
  await copies.each(mutants, async (copy, mutant) => {
    const { code, output } = await withFault(copy, mutant, () =>
      copies.run(copy, [tsc, '--noEmit', '-p', 'tsconfig.build.json']),
    );
    if (copies.isInterrupted() || code === 0) return;
    wrong += 1;
    console.log(`${mutant.list}: "${mutant.name}" does not compile\n${output.trim()}`);
  });
  if (copies.isInterrupted()) return 130;
  console.log(`${mutants.length - wrong} of ${mutants.length} compile`);
  return wrong === 0 ? 0 : 2;
}

function positive(name) {
  const number = Number(values[name]);
  if (!(number > 0)) stop(`--${name} wants a number above zero, not "${values[name]}"`, 2);
  return number;
}

function stop(text, code) {
  console[code === 0 ? 'log' : 'error'](text);
  process.exit(code);
}
