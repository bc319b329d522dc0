import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The script itself, on a machine made of stand-ins for the programs it asks. */
const script = path.resolve(__dirname, '../../scripts/install-gpu.sh');
const tools = [
  'sed',
  'awk',
  'sort',
  'head',
  'tail',
  'paste',
  'basename',
  'dirname',
  'readlink',
  'timeout',
  'cat',
  'printf',
  'id',
];
let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'huancai-install-gpu-'));
  mkdirSync(path.join(root, 'scripts'));
  mkdirSync(path.join(root, 'bin'));
  mkdirSync(path.join(root, 'lib'));
  cpSync(script, path.join(root, 'scripts', 'install-gpu.sh'));
  // Never links: a stand-in written over one would replace the machine's own program.
  for (const tool of tools) {
    const real = ['/usr/bin', '/bin'].map((dir) => path.join(dir, tool)).find(existsSync);
    if (real) program(tool, `exec ${real} "$@"`);
  }
  program('uname', 'case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac');
  program('ldconfig', `cat '${path.join(root, 'ldconfig.txt')}'`);
  writeFileSync(path.join(root, 'ldconfig.txt'), '');
  runtime('1.24.3');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What changed anything: each call is a line. */
const calls = () => {
  const file = path.join(root, 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

function program(name: string, body: string): void {
  const file = path.join(root, 'bin', name);
  rmSync(file, { force: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755, flag: 'wx' });
}

function card(driver: string, name: string, capability: string): void {
  program(
    'nvidia-smi',
    `case $1 in
      *compute_cap*) ${capability ? `echo ${capability}` : `echo 'Field "compute_cap" is not a valid field to query.'; exit 2`} ;;
      *) echo '${driver}, ${name}' ;;
    esac`,
  );
}

function runtime(version: string, provider = false): void {
  const dir = path.join(root, 'node_modules', 'onnxruntime-node');
  const bin = path.join(dir, 'bin', 'napi-v6', 'linux', 'x64');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ version }, null, 2));
  if (provider) writeFileSync(path.join(bin, 'libonnxruntime_providers_cuda.so'), '');
}

function libraries(cudnn?: string): void {
  const names = [
    'libcudart.so.12',
    'libcublas.so.12',
    'libcublasLt.so.12',
    'libcufft.so.11',
    'libcurand.so.10',
  ];
  const lines = names.map((name) => `\t${name} (libc6,x86-64) => /usr/lib/${name}`);
  if (cudnn) {
    const real = path.join(root, 'lib', `libcudnn.so.${cudnn}`);
    writeFileSync(real, '');
    const link = path.join(root, 'lib', 'libcudnn.so.9');
    symlinkSync(real, link);
    lines.push(`\tlibcudnn.so.9 (libc6,x86-64) => ${link}`);
  }
  writeFileSync(path.join(root, 'ldconfig.txt'), `${lines.join('\n')}\n`);
}

function run(...args: string[]) {
  const file = path.join(root, 'scripts', 'install-gpu.sh');
  const env = { PATH: path.join(root, 'bin'), HOME: root };
  const { status, stdout, stderr } = spawnSync('/bin/bash', [file, ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

test('no driver: says which one, changes nothing, even when asked to', () => {
  const { status, text } = run('--apply');
  expect(status).toBe(2);
  expect(text).toMatch(/no {4}driver +no nvidia-smi: install the NVIDIA driver, branch 535 to 580/);
  expect(text).toContain('Nothing was changed');
});

test('a complete Pascal box is ready', () => {
  card('550.163.01', 'NVIDIA GeForce GTX 1060 6GB', '6.1');
  libraries('9.10.2');
  runtime('1.24.3', true);
  const { status, text } = run();
  expect(text).toContain('All is ready');
  expect(text).toMatch(/ok {4}cudnn +9\.10\.2/);
  expect(status).toBe(0);
});

test('a cuDNN that has left Pascal behind is named; the same one is right for a GTX 1650', () => {
  card('580.65.06', 'NVIDIA GeForce GTX 1050 Ti', '6.1');
  libraries('9.14.0');
  runtime('1.24.3', true);
  expect(run()).toMatchObject({ status: 1 });
  expect(run().text).toContain('9.14.0 has no kernels for compute capability 6.1');
  card('580.65.06', 'NVIDIA GeForce GTX 1650', '7.5');
  expect(run()).toMatchObject({ status: 0 });
});

test.each([
  ['470.256.02', 'NVIDIA GeForce GTX 1060 6GB', '', /470\.256\.02 is too old for CUDA 12/],
  ['550.163.01', 'NVIDIA GeForce GTX 960', '5.2', /5\.2: this build has kernels from 6\.0 on/],
])('driver %s with a %s cannot', (driver, name, capability, words) => {
  card(driver, name, capability);
  const { status, text } = run();
  expect(status).toBe(2);
  expect(text).toMatch(words);
});

test('a driver that cannot reach its card is quoted', () => {
  program(
    'nvidia-smi',
    `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9`,
  );
  const { status, text } = run();
  expect(status).toBe(2);
  expect(text).toContain("nvidia-smi fails: NVIDIA-SMI has failed because it couldn't communicate");
});

test('an onnxruntime that was moved to CUDA 13, another system, wrong use', () => {
  card('550.163.01', 'NVIDIA GeForce GTX 1060 6GB', '6.1');
  runtime('1.27.0');
  expect(run().text).toContain('built for CUDA 13');
  program('uname', 'case $1 in -s) echo Darwin ;; -m) echo arm64 ;; esac');
  expect(run()).toMatchObject({ status: 2 });
  expect(run('--force')).toMatchObject({ status: 64 });
  expect(run('--help').text).toContain('changes nothing unless asked');
});

test('--check names what is missing and changes nothing; --apply does exactly that', () => {
  card('550.163.01', 'NVIDIA GeForce GTX 1060 6GB', '6.1');
  const log = path.join(root, 'calls');
  for (const name of ['apt-get', 'apt-mark', 'sudo', 'node'])
    program(
      name,
      `echo "${name} $* $ONNXRUNTIME_NODE_INSTALL" >> '${log}'; [ ${name} != sudo ] || "$@"`,
    );
  program('apt-cache', `printf 'cuda-cudart-12-4 - x\\ncuda-cudart-12-8 - x\\n'`);
  program('id', 'echo 0');
  const before = run();
  expect(before.status).toBe(1);
  expect(before.text).toContain('To be done: cuda cudnn provider. Nothing was changed');
  expect(calls()).toEqual([]);
  expect(run('--apply').status).toBe(0);
  const ort = path.join(root, 'node_modules', 'onnxruntime-node', 'script', 'install.js');
  expect(calls().map((line) => line.trim())).toEqual([
    'apt-get install --yes --no-install-recommends --allow-downgrades cuda-cudart-12-8 libcublas-12-8 libcufft-12-8 libcurand-12-8 libcudnn9-cuda-12=9.10.2.21-1',
    'apt-mark hold libcudnn9-cuda-12',
    `node ${ort} cuda12`,
  ]);
});

test("--apply stops where apt does not know NVIDIA's packages", () => {
  card('550.163.01', 'NVIDIA GeForce GTX 1060 6GB', '6.1');
  const { status, text } = run('--apply');
  expect(status).toBe(1);
  expect(text).toContain('Set up the repository that NVIDIA names');
});

test('the versions in the script are those of the guide and of the pin', () => {
  const text = readFileSync(script, 'utf8');
  const guide = readFileSync(path.resolve(__dirname, '../../docs/gpu.md'), 'utf8');
  for (const version of ['525.60.13', '580', '9.10.2.21-1', '9.11']) {
    expect(text).toContain(version);
    expect(guide).toContain(version);
  }
  const lock = JSON.parse(readFileSync(path.resolve(__dirname, '../../package-lock.json'), 'utf8'));
  expect(lock.packages['node_modules/onnxruntime-node'].version).toMatch(/^1\.2[4-6]\.\d+$/);
  const metadata = require.resolve('onnxruntime-node/package.json');
  const cuda = readFileSync(
    path.join(path.dirname(metadata), 'script', 'install-metadata.js'),
    'utf8',
  );
  // What the pin is for: this release's own installer fetches a CUDA 12 build.
  expect(cuda).toContain("'linux/x64': ['cuda12']");
});
