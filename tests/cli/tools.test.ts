import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { makeTempFolder } from '../../src/cli/temp-folder.js';
import { runCli } from '../support/cli.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'huancai-tools-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]) => runCli(args, { cwd });
const demoPhoto = path.join(packageRoot, 'assets/demo/photographer.jpg');

test('demo writes before, after and comparison, once', async () => {
  expect(await run('demo')).toMatchObject({ code: 0 });
  const size = async (name: string) => {
    const { width, height } = await sharp(path.join(cwd, 'huancai-demo', name)).metadata();
    return [width, height];
  };
  expect(await size('before.jpg')).toEqual([512, 512]);
  expect(await size('after.jpg')).toEqual([512, 512]);
  const [width, height] = await size('comparison.jpg');
  expect(width).toBeGreaterThanOrEqual(1024);
  expect(height).toBe(512);
  const again = await run('demo');
  expect(again).toMatchObject({ code: 1 });
  expect(again.err).toMatch(/exists already/);
  expect(await run('demo', '--overwrite')).toMatchObject({ code: 0 });
});

test('doctor finds nothing wrong here, line by line', async () => {
  const { code, records } = await run('doctor', '--json');
  const checks = records().filter((record) => record['type'] === 'check');
  expect(checks.filter((check) => check['status'] === 'fail')).toEqual([]);
  expect(code).toBe(0);
  const names = checks.map((check) => check['name']);
  for (const name of [
    'node',
    'memory',
    'disk',
    'formats',
    'label',
    'models',
    'model',
    'provider',
  ]) {
    expect(names).toContain(name);
  }
});

test('doctor says which chats are set up, and what the others need', async () => {
  const env = { TELEGRAM_BOT_TOKEN: '1234567890:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' };
  const { out } = await runCli(['doctor', '--lang', 'en'], { cwd, env });
  expect(out).toMatch(/^ok +channels +Telegram is set up/m);
  expect(out).toMatch(/^ok +channels +WeChat is not set up.*WECHATY_PUPPET/m);
  const chinese = await runCli(['doctor', '--lang', 'zh-CN'], { cwd });
  expect(chinese.out).toMatch(/^ok +channels +Telegram 未设置.*TELEGRAM_BOT_TOKEN/m);
});

test('doctor says which payments are set up, what others lack, and what Telegram allows', async () => {
  const name = (found: string) => new RegExp(`^ok +payments +.*${found}`, 'm');
  const plain = await run('doctor');
  expect(plain.out).toMatch(name('Alipay is not set up.*ALIPAY_SELLER_ID'));
  expect(plain.out).toMatch(name('WeChat Pay is not set up.*WECHATPAY_API_V3_KEY'));
  expect(plain.out).toMatch(name('Stars are not set up.*TELEGRAM_BOT_TOKEN'));
  expect(plain.out).not.toMatch(/Bot developer terms/);
  const env = {
    ALIPAY_APP_ID: '2021000100000001',
    TELEGRAM_BOT_TOKEN: '1234567890:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    HUANCAI_CHANNELS_TELEGRAM_METHODS: '[wechatpay]',
  };
  const { code, out } = await runCli(['doctor', '--lang', 'en'], { cwd, env });
  expect(code).toBe(3);
  expect(out).toMatch(/^fail +payments +Alipay is only half set up.*ALIPAY_PRIVATE_KEY_FILE/m);
  expect(out).toMatch(/^warn +telegram +.*wechatpay.*Bot developer terms, 6\.2.*Stars only/m);
  const keys = { ...env, ALIPAY_APP_ID: '' };
  const stars = await runCli(['doctor', '--lang', 'zh-CN'], { cwd, env: keys });
  expect(stars.out).toMatch(/^warn +payments +Telegram Stars 已设置，但没有渠道使用/m);
  expect(stars.out).not.toMatch(/AAAAAAA/);
}, 180_000);

test('doctor says what to do, and answers 3, when the model is missing', async () => {
  const env = { HUANCAI_INFERENCE_MODEL: 'ddcolor-modelscope', HUANCAI_LABEL_TEXT: 'AI \u{13000}' };
  const { code, out } = await runCli(['doctor'], { cwd, env });
  expect(code).toBe(3);
  expect(out).toMatch(/fail +model .*huancai models pull ddcolor-modelscope/);
  expect(out).toMatch(/fail +label .*HUANCAI_LABEL_TEXT/);
});

test('workflow run: presets by name, files by path, faults by node', async () => {
  const done = await run('workflow', 'run', 'portrait', '--image', demoPhoto, '-o', 'out');
  expect(done).toMatchObject({ code: 0 });
  expect(done.err).toMatch(/ddcolor_modelscope\.pth is not installed; starter was used/);
  expect(readdirSync(path.join(cwd, 'out'))).toEqual(['portrait_00001_.png']);

  writeFileSync(path.join(cwd, 'graph.json'), '{"3": {"class_type": "KSampler", "inputs": {}}}');
  const faulty = await run('workflow', 'run', 'graph.json', '--image', demoPhoto);
  expect(faulty.code).not.toBe(0);
  expect(faulty.err).toMatch(/node 3 \(KSampler\): unknown node/);
  const chinese = await run(
    'workflow',
    'run',
    'graph.json',
    '--image',
    demoPhoto,
    '--lang',
    'zh-CN',
  );
  expect(chinese.err).toMatch(/节点 \S+（\S+）：/);
  expect(await run('workflow', 'run', 'gone.json')).toMatchObject({ code: 2 });
  const unseen = await run('workflow', 'run', 'portrait', '--image', 'gone.jpg');
  expect(unseen).toMatchObject({ code: 2 });
  expect(unseen.err).toMatch(/gone\.jpg: there is no such file/);
});

test('bench prints figures of this machine', async () => {
  const { code, records } = await run('bench', '--megapixels', '1', '--runs', '1', '--json');
  expect(code).toBe(0);
  const [figures] = records();
  expect(figures).toMatchObject({
    type: 'bench',
    model: 'starter',
    provider: 'cpu',
    megapixels: 1,
  });
  for (const name of ['networkSeconds', 'wholeSeconds', 'mainPeakMegabytes']) {
    expect(figures![name]).toBeGreaterThan(0);
  }
});

test('every command explains itself', async () => {
  const commandsIn = (help: string) => {
    const list = help.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
    return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1]!);
  };
  const visit = async (trail: string[]): Promise<number> => {
    const { code, out } = await run(...trail, '--help');
    expect({ trail, code }).toEqual({ trail, code: 0 });
    expect(out).toMatch(/Usage: huancai/);
    let count = 1;
    for (const name of commandsIn(out).filter((name) => name !== 'help')) {
      count += await visit([...trail, name]);
    }
    return count;
  };
  expect(await visit([])).toBeGreaterThan(8);
});

test('a reader that goes away ends a command quietly, with 130', async () => {
  const main = path.join(packageRoot, 'dist/cli/main.js');
  const script = `"${process.execPath}" "${main}" models list --json; echo "code $?" >&2`;
  const { stderr } = await promisify(execFile)('bash', ['-c', `{ ${script}; } | true`], { cwd });
  expect(stderr.trim()).toBe('code 130');
});

test('what another user left in a temporary folder that all share stops nobody', () => {
  const temp = path.join(cwd, 'temp');
  const foreign = path.join(temp, 'huancai-work-999999999-abc');
  mkdirSync(path.join(foreign, 'inside'), { recursive: true });
  chmodSync(foreign, 0);
  chmodSync(temp, 0o1777);
  chmodSync(cwd, 0o755);
  // Root may do anything: it becomes nobody for a moment.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    const { dir, remove } = makeTempFolder(temp);
    expect(readdirSync(temp).sort()).toEqual([foreign, dir].map((d) => path.basename(d)).sort());
    remove();
  } finally {
    if (root) process.seteuid?.(0);
    chmodSync(foreign, 0o700);
  }
});

test('what a killed process left in the temporary folder is removed by the next', async () => {
  const temp = path.join(cwd, 'temp');
  const abandoned = path.join(temp, 'huancai-work-999999999-abc');
  const alive = path.join(temp, `huancai-work-${process.pid}-abc`);
  for (const dir of [abandoned, alive]) mkdirSync(dir, { recursive: true });
  const env = { HUANCAI_TEMP_DIR: temp };
  expect(await runCli(['demo'], { cwd, env })).toMatchObject({ code: 0 });
  expect(readdirSync(temp)).toEqual([path.basename(alive)]);
});
