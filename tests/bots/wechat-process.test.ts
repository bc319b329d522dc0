import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

jest.setTimeout(180_000);

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'dist/cli/main.js');
const name = 'wechaty-puppet-loose';

/** A puppet as an operator installs one: waits for a scan, and drops a promise on the way. */
const puppet = `
const { PuppetMock, mock } = require(${JSON.stringify(require.resolve('wechaty-puppet-mock'))});
module.exports.default = class PuppetLoose extends PuppetMock {
  constructor() { super({ mocker: new mock.Mocker() }); }
  async onStart() {
    await super.onStart();
    setTimeout(() => void Promise.reject(new Error('a loose end')), 200);
    setTimeout(() => this.emit('scan', { qrcode: 'https://login.example/abc', status: 2 }), 400);
  }
};`;

let dir: string;
let child: ChildProcess | undefined;

function serve(env: Record<string, string>): { lines: string[]; ended: Promise<number | null> } {
  const lines: string[] = [];
  const started = spawn(process.execPath, [main, 'serve', '--json'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: dir, HUANCAI_DATA_DIR: dir, PORT: '0', ...env },
  });
  child = started;
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (data: Buffer) => lines.push(...data.toString().split('\n')));
  return { lines, ended: new Promise((resolve) => started.once('exit', resolve)) };
}

async function line(lines: string[], what: string): Promise<string> {
  for (const end = Date.now() + 90_000; Date.now() < end; ) {
    const found = lines.find((one) => one.includes(what));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never saw ${what}:\n${lines.join('\n')}`);
}

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-puppet-'));
  child = undefined;
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

test('a puppet from the data folder: its code on the operator’s page, its loose ends no end', async () => {
  const folder = path.join(dir, 'wechat/node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'index.js'), puppet);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
  const { lines } = serve({ WECHATY_PUPPET: name });
  const { url } = JSON.parse(await line(lines, '"type":"open"')) as { url: string };
  expect(await line(lines, '"type":"wechat.scan"')).toContain('https://login.example/abc');
  await line(lines, 'loose end');

  const key = readFileSync(path.join(dir, 'keys/console'), 'utf8').trim();
  const page = await fetch(`${url}/console/${key}`, { headers: { 'accept-language': 'zh-CN' } });
  expect(page.status).toBe(200);
  const html = await page.text();
  expect(html).toContain('data:image/svg+xml;base64,');
  expect(html).toContain('请用机器人账号的手机微信扫码');
  expect((await fetch(`${url}/console/${'0'.repeat(64)}`)).status).toBe(404);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test.each([
  [{ WECHATY_PUPPET: 'wechaty-puppet-nowhere' }, 'npm install --prefix'],
  [{ WECHATY_PUPPET: 'wechaty-puppet-service' }, 'WECHATY_TOKEN'],
])('%j cannot start, and says what helps', async (env, what) => {
  const folder = path.join(dir, 'wechat/node_modules/wechaty-puppet-service');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'index.js'), '');
  const { lines, ended } = serve(env);
  expect(await ended).toBe(3);
  expect(lines.join('\n')).toContain(what);
});
