import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/cli/package-root.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
// biome-ignore lint/suspicious/noExplicitAny: the document is checked field by field
let api: any;
beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
  api = await (await fetch(`${stack.url}/api/docs/json`)).json();
});
afterAll(() => stack.close());

test.each([
  ['post', '/photos', '202 413 415 422 429 503'],
  ['patch', '/uploads/{id}', '202 204 409 413 415 422 429 503'],
  ['get', '/photos', '200'],
  ['get', '/photos/{id}', '200'],
  ['get', '/photos/{id}/events', '200'],
  ['get', '/photos/{id}/original', '200 409 410'],
  ['get', '/photos/{id}/preview', '200 409 410'],
  ['get', '/photos/{id}/comparison', '200 409 410'],
  ['get', '/photos/{id}/master', '200 402 409 410'],
  ['post', '/photos/{id}/variants', '202'],
  ['post', '/photos/{id}/cancel', '200'],
  ['delete', '/photos/{id}', '204'],
  ['post', '/photos/{id}/unlock', '200 201 402 409 422'],
  ['get', '/orders/{id}', '200'],
  ['get', '/me', '200'],
  ['post', '/me/topups', '201'],
  ['delete', '/me', '204'],
  ['post', '/me/link-codes', '201'],
])('%s %s is described, with how it fails', (verb, route, statuses) => {
  const { summary, responses } = api.paths[`/api/v1${route}`][verb];
  expect(summary).toMatch(/^[A-Z]/);
  expect(Object.keys(responses).sort()).toEqual([...statuses.split(' '), '4XX', '5XX'].sort());
  const problem = responses['4XX'].content['application/problem+json'];
  expect(problem.schema).toEqual({ $ref: '#/components/schemas/Problem' });
});

test('a photo can be sent from the page of the documentation', () => {
  const { content } = api.paths['/api/v1/photos'].post.requestBody;
  expect(content['multipart/form-data'].schema).toMatchObject({
    required: ['photo'],
    properties: { photo: { type: 'string', format: 'binary' }, size: { type: 'integer' } },
  });
  const picture = api.paths['/api/v1/photos/{id}/preview'].get.responses['200'].content;
  expect(picture['image/jpeg'].schema).toEqual({ type: 'string', format: 'binary' });
});

test('every reference leads to a shape, by its own name', () => {
  const names = [...JSON.stringify(api).matchAll(/#\/components\/schemas\/(\w+)/g)];
  expect(names.length).toBeGreaterThan(20);
  for (const [, name] of names) expect(api.components.schemas).toHaveProperty(name!);
  expect(Object.keys(api.components.schemas)).toEqual(
    expect.arrayContaining(['Photo', 'Order', 'Me', 'Problem']),
  );
});

describe('the types of the page', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-api-types-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  function check(document: unknown): { status: number | null; stderr: string } {
    const file = path.join(dir, 'document.json');
    writeFileSync(file, JSON.stringify(document));
    const script = path.join('tests', 'support', 'write-api-types.ts');
    const hook = ['-r', './scripts/ts-hook.cjs'];
    const options = { cwd: packageRoot, encoding: 'utf8' } as const;
    return spawnSync(process.execPath, [...hook, script, file, '--check'], options);
  }

  test('are the ones the document tells', () => {
    expect(check(api)).toMatchObject({ status: 0, stderr: '' });
  });

  test('are stale when the document has a field more', () => {
    const more = structuredClone(api);
    more.components.schemas.Order.properties.tip = { type: 'integer' };
    const { status, stderr } = check(more);
    expect(status).toBe(1);
    expect(stderr).toContain('npm run api:types');
  });
});

test('the key that buying HD needs is marked as needed, the one of a pack is not', () => {
  const keyOf = (route: string) =>
    api.paths[`/api/v1${route}`].post.parameters.find(
      (one: { name: string }) => one.name.toLowerCase() === 'idempotency-key',
    );
  expect(keyOf('/photos/{id}/unlock')).toMatchObject({ in: 'header', required: true });
  expect(keyOf('/unlocks')).toMatchObject({ in: 'header', required: true });
  expect(keyOf('/me/topups')).toMatchObject({ in: 'header' });
  expect(keyOf('/me/topups').required ?? false).toBe(false);
});
