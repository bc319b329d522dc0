import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/cli/config.js';
import { ddcolorChoices } from '../../src/cli/models/ddcolor-choices.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-choice-'));
afterAll(() => rmSync(folder, { recursive: true }));

const settings = (providers: string, program: string, env = {}) =>
  loadConfig({
    HUANCAI_INFERENCE_PROVIDERS: providers,
    HUANCAI_GPU_NVIDIA_SMI: program,
    ...env,
  });

/** A driver that knows two cards and answers for the one that is asked about. */
function driver(...mebibytes: string[]): string {
  const file = path.join(mkdtempSync(path.join(folder, 'driver-')), 'nvidia-smi');
  const cases = mebibytes.map((memory, i) => `*--id=${i}*) echo '${memory}' ;;`).join('\n');
  writeFileSync(file, `#!/bin/sh\ncase "$*" in\n${cases}\n*) exit 6 ;;\nesac\n`);
  chmodSync(file, 0o755);
  return file;
}

test('with CUDA the card decides, the one the settings name', () => {
  const program = driver('3072', '8192');
  expect(ddcolorChoices(settings('[cuda, cpu]', program))).toEqual(['ddcolor-tiny']);
  const second = { HUANCAI_INFERENCE_DEVICE_ID: '1' };
  expect(ddcolorChoices(settings('[cuda, cpu]', program, second))[0]).toBe('ddcolor-modelscope');
});

test('without CUDA, without a driver or without an answer main memory decides', () => {
  const memory = Math.min(os.totalmem(), process.constrainedMemory() || os.totalmem());
  const byMemory = memory >= 7.5e9 ? 'ddcolor-modelscope' : 'ddcolor-tiny';
  for (const config of [
    settings('[cpu]', driver('3072')),
    settings('[cuda, cpu]', path.join(folder, 'not-there')),
    settings('[cuda, cpu]', driver('[N/A]')),
    settings('[cuda, cpu]', driver('3072'), { HUANCAI_INFERENCE_DEVICE_ID: '5' }),
  ])
    expect(ddcolorChoices(config)[0]).toBe(byMemory);
});
