import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/cli/package-root.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

/** The example of the docs, as it stands there, in a real nginx before the real page. */
const example = readFileSync(path.join(packageRoot, 'docs/proxies/nginx.conf'), 'utf8');

let dir: string;
let stack: WebStack;
let nginx: ChildProcess;
let port: number;

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-nginx-'));
  const pagePort = await freePort();
  stack = await startWebStack({
    web: {
      port: pagePort,
      trustProxy: 1,
      publicUrl: 'https://photos.example.com',
      newCustomersPerHourPerAddress: 3,
    },
  });
  port = await freePort();
  certificate(dir);
  writeFileSync(path.join(dir, 'nginx.conf'), wholeConfig(`127.0.0.1:${pagePort}`));
  nginx = spawn('/usr/sbin/nginx', ['-p', dir, '-c', path.join(dir, 'nginx.conf')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await until(async () => (await call('/healthz')).status === 200, 20_000);
}, 60_000);

afterAll(async () => {
  nginx?.kill('SIGQUIT');
  await stack?.close();
  rmSync(dir, { recursive: true, force: true });
});

test('the example in the docs and in its test are one, and names one proxy', () => {
  const docs = readFileSync(path.join(packageRoot, 'docs/web.md'), 'utf8');
  expect(docs).toContain('proxies/nginx.conf');
  expect(docs).toContain('proxies/Caddyfile');
  expect(example).toContain('HUANCAI_WEB_TRUST_PROXY=1');
});

test('whatever address a visitor sends along, the limit counts the real one', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const headers = { 'x-forwarded-for': `198.51.100.${i}, 192.0.2.${i}` };
    statuses.push((await call('/api/v1/me/link-codes', { method: 'POST', headers })).status);
  }
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(9);
});

test('the page knows that it is reached by https', async () => {
  const { headers } = await call('/api/v1/prices');
  expect(headers['strict-transport-security']).toMatch('max-age');
});

test('a large photo goes through, and is answered by the studio', async () => {
  const boundary = 'huancai-boundary';
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(head),
    Buffer.alloc(20_000_000, 7),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const answer = await call('/api/v1/photos', {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body,
  });
  // Too many new visitors came from here already: our own words, not the proxy's 413 or 502.
  expect({ status: answer.status, ...JSON.parse(answer.body) }).toMatchObject({
    ...{ status: 429, code: 'TOO_MANY_REQUESTS' },
  });
});

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer;
}

function call(route: string, { method = 'GET', headers = {}, body }: Call = {}) {
  type Answer = { status: number; headers: Record<string, unknown>; body: string };
  return new Promise<Answer>((resolve, reject) => {
    const options = { port, method, headers, rejectUnauthorized: false, servername: 'localhost' };
    const request = https.request({ host: '127.0.0.1', path: route, ...options }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The server of the docs with this machine's port, certificate and page. */
function wholeConfig(page: string): string {
  const server = example
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
    .replace(/ssl_certificate \S+;/, `ssl_certificate ${dir}/cert.pem;`)
    .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${dir}/key.pem;`)
    .replace('http://127.0.0.1:8080', `http://${page}`);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 64; }
http {
  access_log off;
${temp.map((name) => `  ${name}_temp_path ${dir}/${name};`).join('\n')}
${server}
}
`;
}

function certificate(into: string): void {
  const wanted = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  const files = ['-keyout', path.join(into, 'key.pem'), '-out', path.join(into, 'cert.pem')];
  execFileSync('openssl', ['req', ...wanted, ...files], { stdio: 'ignore' });
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: free } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}
