import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/cli/package-root.js';

/**
 * What is forgotten does not compile: a member is added to every table in a copy of the sources,
 * and the compiler must name it wherever it lacks something.
 */
let copy: string;
/** Complaints of the compiler, `src/file.ts: ... 'name' ...`, of the house and of the page. */
let complaints: readonly string[];

/** Write a member behind an anchor. @throws when the anchor is no longer there. */
function add(file: string, anchor: string, member: string): void {
  const full = path.join(copy, file);
  const text = readFileSync(full, 'utf8');
  if (!text.includes(anchor)) throw new Error(`${file} has no line "${anchor}" any more`);
  writeFileSync(full, text.replace(anchor, `${anchor}${member}`));
}

async function compile(project: string): Promise<string[]> {
  const tsc = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '--noEmit', '--incremental', 'false', '--pretty', 'false', '-p', project];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: copy }).catch(
    (failed: { stdout: string }) => failed,
  );
  // A complaint's further lines begin with blanks.
  return stdout.replace(/\n\s+/g, ' ').split('\n').filter(Boolean);
}

beforeAll(async () => {
  copy = mkdtempSync(path.join(os.tmpdir(), 'huancai-tables-'));
  for (const name of ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(path.join(packageRoot, name), path.join(copy, name), { recursive: true });
  symlinkSync(path.join(packageRoot, 'node_modules'), path.join(copy, 'node_modules'));

  const methods = 'export const paymentMethods = {';
  add(
    'src/studio/ports/gateway.ts',
    methods,
    `\nepay: { money: 'provider', ...inYuan, settings: 'epay' },`,
  );
  const channels = 'export const channels = {';
  add(
    'src/studio/ports/basics.ts',
    channels,
    `\npager: { kind: 'chat', settings: 'pager', suits: [] },`,
  );
  const payloads = 'export interface JobPayloads {';
  add('src/studio/jobs.ts', payloads, '\nrinse: { photoId: string };\nfix: { photoId: string };');
  const rinse = `{ ...light, lane: 'darkroom', taker: 'box', urgency: 'free', holdsUp: 'nothing' }`;
  add('src/studio/jobs.ts', 'export const jobs = {', `\nrinse: ${rinse},`);
  add('src/studio/jobs.ts', `'masters' | 'photos'`, ` | 'darkroom'`);
  add('src/studio/photo.ts', 'export const photoStates = {', `\nmislaid: 'underWay',`);
  add('src/studio/photo.ts', 'export const lookStateNames = [', `'blurred', `);
  add('src/studio/ports/blobs.ts', 'export const blobKinds = {', `\nthumbnail: 'picture',`);
  add('src/studio/ports/expiry.ts', 'export const expiringKinds = [', `'sheet', `);

  const house = await compile('tsconfig.build.json');
  complaints = [...house, ...(await compile('src/web/app/tsconfig.json'))];
}, 120_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const lacks = (name: string) =>
  new RegExp(`Property '${name}' (is missing in|does not exist on) type '{`);

/** Files where a record has no entry of this name; a missing section of settings is another fault. */
const placesOf = (name: string) =>
  complaints
    .filter((line) => lacks(name).test(line))
    .map((line) => line.slice(0, line.indexOf('(')));

test.each([
  ['a way to pay', 'epay', ['src/cli/payments/gateways.ts', 'src/web/app/src/texts/methods.ts']],
  ['a chat', 'pager', ['src/cli/chats.ts', 'src/cli/serve/bots.ts']],
  ['a job without a place in the table', 'fix', ['src/studio/jobs.ts']],
  ['a job', 'rinse', ['src/studio/pipeline.ts', 'src/cli/worker/run.ts']],
  ['a lane', 'darkroom', ['src/cli/serve/shop.ts']],
  ['a state of a photo', 'mislaid', ['src/studio/photo.ts']],
  ['a state of a look', 'blurred', ['src/studio/photo.ts']],
  ['a rendition', 'thumbnail', ['src/web/api/renditions.ts']],
  [
    'a file that expires',
    'sheet',
    [
      'src/studio/sweep/retention.ts',
      'src/storage/kept-files.ts',
      'src/cli/studio/studio-config.ts',
    ],
  ],
])('%s that is added is named wherever it lacks something: %s', (_what, name, files) => {
  expect(placesOf(name)).toEqual(expect.arrayContaining(files));
});

test('a way to pay and a chat without a section of settings are named', () => {
  const lacksSection = (name: string, file: string) =>
    complaints.filter(
      (line) => line.startsWith(file) && line.includes(`"${name}"`) && line.includes('constraint'),
    );
  expect(lacksSection('epay', 'src/cli/payments/gateways.ts')).toHaveLength(1);
  expect(lacksSection('pager', 'src/cli/chats.ts')).toHaveLength(1);
});
