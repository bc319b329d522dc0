import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { setting, settingsOf } from '../../src/cli/config/setting.js';
import { type Environment, loadConfig } from '../../src/cli/config.js';
import { ConfigFaulty } from '../../src/cli/errors.js';
import { packageRoot } from '../../src/cli/package-root.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-config-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = path.join(dir, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function faultsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigFaulty) return error.faults;
    throw error;
  }
  return [];
}

test('the defaults alone are complete, and frozen all the way down', () => {
  const config = loadConfig({ XDG_DATA_HOME: '/data' });
  expect(config.inference.model).toBe('starter');
  expect(config.paths.dataDir).toBe(path.resolve('/data/huancai'));
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.inference.providers)).toBe(true);
});

test("the operator's file beats the defaults and the environment beats both", () => {
  const file = write('mine.yaml', 'inference:\n  threads: 3\n  model: mine\n');
  const config = loadConfig({
    HUANCAI_CONFIG: file,
    HUANCAI_INFERENCE_MODEL: 'theirs',
    HUANCAI_INFERENCE_PROVIDERS: '[cuda, cpu]',
    HUANCAI_DATA_DIR: dir,
  });
  expect(config.inference).toMatchObject({
    threads: 3,
    model: 'theirs',
    providers: ['cuda', 'cpu'],
    fit: null,
  });
  expect(config.paths.dataDir).toBe(dir);
});

test('config/local.yaml is read where no file is named', () => {
  write(
    'config/default.yaml',
    require('node:fs').readFileSync(path.join(packageRoot, 'config/default.yaml'), 'utf8'),
  );
  write('config/local.yaml', 'label: { text: 合成 }');
  expect(loadConfig({}, dir).label.text).toBe('合成');
});

test('every fault is listed at once, with the name of the setting and an example', () => {
  const file = write('bad.yaml', 'inference:\n  fit: squash\n  speed: 9\nlable: {}\n');
  const faults = faultsOf({ HUANCAI_CONFIG: file, HUANCAI_INFERENCE_THREADS: 'many' });
  expect(faults).toHaveLength(4);
  const text = faults.join('\n');
  expect(text).toMatch(/inference\.fit \(HUANCAI_INFERENCE_FIT\).*for example stretch/);
  expect(text).toMatch(/inference\.threads \(HUANCAI_INFERENCE_THREADS\).*for example 0/);
  expect(text).toMatch(/inference\.speed: no such setting/);
  expect(text).toMatch(/lable: no such setting/);
});

test('a named file that is missing or not YAML is a fault', () => {
  expect(faultsOf({ HUANCAI_CONFIG: path.join(dir, 'none.yaml') })[0]).toMatch(/there is no file/);
  const file = write('broken.yaml', 'inference: [unclosed');
  expect(faultsOf({ HUANCAI_CONFIG: file })[0]).toContain('broken.yaml');
});

test('settings are named after their place; secrets are marked', () => {
  const schema = z.object({
    telegram: z.object({
      botToken: setting(z.string().nullable(), { example: '123:abc', secret: true }),
    }),
  });
  expect(settingsOf(schema)).toEqual([
    {
      name: 'telegram.botToken',
      env: 'HUANCAI_TELEGRAM_BOT_TOKEN',
      example: '123:abc',
      secret: true,
      accepts: expect.any(Function),
    },
  ]);
});

test('a bucket and a studio are read from their own variables', () => {
  const token = 'a worker token of thirty-two letters';
  const config = loadConfig({
    S3_ENDPOINT: 'https://oss-cn-hangzhou.aliyuncs.com/',
    S3_BUCKET: 'photos',
    S3_PATH_STYLE: 'true',
    HUANCAI_STUDIO_URL: 'http://192.168.1.10:8080/',
    HUANCAI_WORKER_TOKEN: token,
  });
  expect(config.s3).toMatchObject({
    endpoint: 'https://oss-cn-hangzhou.aliyuncs.com',
    bucket: 'photos',
    pathStyle: true,
  });
  expect(config.worker).toMatchObject({ studioUrl: 'http://192.168.1.10:8080', token });
  expect(faultsOf({ HUANCAI_WORKER_TOKEN: 'short' })).toEqual([
    expect.stringContaining('HUANCAI_WORKER_TOKEN'),
  ]);
});
