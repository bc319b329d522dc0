import { createHttpClient } from '../support/http-client.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

let stack: WebStack;
beforeAll(async () => {
  stack = await startWebStack();
});
afterAll(() => stack.close());

const post = (headers: Record<string, string>) =>
  fetch(`${stack.url}/api/v1/me/link-codes`, { method: 'POST', headers });

test('another site cannot act for a customer, a plain script can', async () => {
  const client = createHttpClient(stack.url);
  await client.json('GET', '/me');
  const cookie = client.cookie();
  const origin = 'https://evil.example';
  expect((await post({ cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await post({ cookie, 'sec-fetch-site': 'same-site' })).status).toBe(403);
  expect((await post({ cookie, origin })).status).toBe(403);
  expect((await post({ cookie, origin: 'null' })).status).toBe(403);
  const refused = await post({ cookie, origin, 'accept-language': 'en' });
  expect(await refused.json()).toMatchObject({ code: 'CROSS_SITE_REFUSED' });
  expect((await post({ cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(201);
  expect((await post({ cookie, origin: stack.url })).status).toBe(201);
  expect((await post({ cookie })).status).toBe(201);
});

test('the sandbox cannot be made to pay by another site either', async () => {
  const headers = { 'sec-fetch-site': 'cross-site' };
  expect((await fetch(`${stack.url}/pay/any`, { method: 'POST', headers })).status).toBe(403);
});

test('the cookie is signed, out of reach of scripts, and stays the same customer', async () => {
  const first = await fetch(`${stack.url}/api/v1/me`);
  const [line = ''] = first.headers.getSetCookie();
  expect(line).toMatch(/HttpOnly/);
  expect(line).toMatch(/SameSite=Lax/);
  expect(line).toMatch(/Path=\//);
  expect(line).not.toMatch(/Secure/);
  const [pair = ''] = line.split(';');
  await post({ cookie: pair });
  const me = async (cookie: string) => {
    const response = await fetch(`${stack.url}/api/v1/me`, { headers: { cookie } });
    return ((await response.json()) as { id?: string }).id;
  };
  const id = await me(pair);
  expect(id).toMatch(/^cu_/);
  expect(await me(pair)).toBe(id);
  // One letter changed: a stranger, not this customer.
  const forged = pair.replace(/web_(.)/, (_, c) => `web_${c === 'A' ? 'B' : 'A'}`);
  expect(await me(forged)).not.toBe(id);
  expect(await me(pair.slice(0, -4))).not.toBe(id);
});

test('over https the cookie is Secure and the browser is told to stay there', async () => {
  const shop = await startWebStack({ web: { publicUrl: 'https://photos.example' } });
  const url = shop.address;
  const response = await fetch(`${url}/api/v1/me`);
  expect(response.headers.getSetCookie().join()).toMatch(/Secure/);
  expect(response.headers.get('strict-transport-security')).toMatch(/max-age/);
  const origin = 'https://photos.example';
  const own = await fetch(`${url}/api/v1/me/link-codes`, { method: 'POST', headers: { origin } });
  expect(own.status).toBe(201);
  await shop.close();
});

test.each(['/', '/api/v1/me', '/pay/x', '/nothing-here'])('headers of %s', async (route) => {
  const { headers } = await fetch(stack.url + route);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/default-src 'none'/);
  expect(policy).toMatch(/frame-ancestors 'none'/);
  expect(policy).not.toMatch(/unsafe|https:|\*/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.get('x-powered-by')).toBeNull();
});

test('the page brings everything along: no address elsewhere, nothing inline', async () => {
  for (const route of ['/', '/pay/any']) {
    const html = await (await fetch(stack.url + route)).text();
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    for (const [, asset = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      const found = await fetch(stack.url + asset);
      expect([asset, found.status]).toEqual([asset, 200]);
      if (asset.startsWith('/assets/')) {
        expect(found.headers.get('cache-control')).toMatch(/immutable/);
      }
    }
  }
});

test.each([
  ['%2e%2e%2f%2e%2e%2fpackage.json'],
  ['..%5c..%5cpackage.json'],
  ['....//....//package.json'],
])('no file outside is served: /assets/%s', async (name) => {
  const response = await fetch(`${stack.url}/assets/${name}`);
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(await response.text()).not.toMatch(/huancai.+version/s);
});

test('an unexpected fault shows a reference, never its insides', async () => {
  const broken = await startWebStack();
  const { studio } = broken;
  const { profile } = studio;
  studio.profile = async () => {
    throw new Error('secret: /root/keys');
  };
  const client = createHttpClient(broken.url, { 'accept-language': 'en' });
  await client.json('POST', '/me/link-codes');
  const response = await client.send('GET', '/api/v1/me');
  expect(response.status).toBe(500);
  const problem = (await response.json()) as { code: string; reference: string; detail: string };
  expect(problem.code).toBe('INTERNAL');
  expect(JSON.stringify(problem)).not.toMatch(/secret|root/);
  const logged = broken.logger.lines.find(({ event }) => event === 'web.failed');
  expect(logged).toMatchObject({ fields: { reference: problem.reference } });
  studio.profile = profile;
  await broken.close();
});

describe('limits', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  test('per address, per customer, for new customers: 429 with the time to wait', async () => {
    const shop = await startWebStack({
      web: { trustProxy: 1, newCustomersPerHourPerAddress: 2, requestsPerMinutePerCustomer: 5 },
    });
    // The first change makes a customer; whoever only looks is none.
    const me = (headers: Record<string, string>) =>
      fetch(`${shop.url}/api/v1/me/link-codes`, { method: 'POST', headers });
    expect((await me(from('203.0.113.7'))).status).toBe(201);
    expect((await me(from('203.0.113.7'))).status).toBe(201);
    const third = await me({ ...from('203.0.113.7'), 'accept-language': 'en' });
    expect(third.status).toBe(429);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    const problem = (await third.json()) as { code: string; detail: string };
    expect(problem.code).toBe('TOO_MANY_REQUESTS');
    expect(problem.detail).toMatch(/^Too many new visitors.*\d+ s\.$/);
    expect((await me(from('203.0.113.8'))).status).toBe(201);

    const client = createHttpClient(shop.url, from('203.0.113.9'));
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) statuses.push((await client.send('GET', '/api/v1/me')).status);
    expect(statuses.filter((status) => status === 200).length).toBe(6);
    expect(statuses.at(-1)).toBe(429);
    await shop.close();
  });

  test('a visitor cannot choose an address by sending one along', async () => {
    const shop = await startWebStack({ web: { trustProxy: 1, newCustomersPerHourPerAddress: 2 } });
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      // What the visitor says, then what the proxy saw.
      const said = from(`198.51.100.${i}, 203.0.113.40`);
      const call = { method: 'POST', headers: said };
      statuses.push((await fetch(`${shop.url}/api/v1/me/link-codes`, call)).status);
    }
    expect(statuses).toEqual([201, 201, 429, 429, 429, 429]);
    await shop.close();
  });

  test('live connections per customer', async () => {
    const shop = await startWebStack({ web: { liveConnectionsPerCustomer: 2 } });
    const client = createHttpClient(shop.url);
    await client.json('GET', '/me');
    const stop = new AbortController();
    const open = () => client.send('GET', '/api/v1/me/events', { signal: stop.signal });
    expect((await open()).status).toBe(200);
    expect((await open()).status).toBe(200);
    expect((await open()).status).toBe(429);
    stop.abort();
    // Closed pages make room again.
    const more = new AbortController();
    const reopen = () => client.send('GET', '/api/v1/me/events', { signal: more.signal });
    await until(async () => (await reopen()).status === 200, 5_000);
    more.abort();
    await shop.close();
  });

  test('bodies of JSON', async () => {
    const client = createHttpClient(stack.url);
    const answer = await client.json('PATCH', '/me', { settings: { preset: 'x'.repeat(100_000) } });
    expect(answer.status).toBe(413);
  });
});
