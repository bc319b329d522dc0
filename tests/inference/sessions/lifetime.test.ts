import { spawn } from 'node:child_process';
import path from 'node:path';
import { colourNet } from '../../support/onnx-builder.js';
import { until } from '../../support/until.js';
import { hostBench, ramp } from './host-tools.js';

const bench = hostBench();
const net = colourNet(bench.file('net.onnx'));
const entry = path.resolve(__dirname, '../../../dist/inference/sessions/index.js');
afterAll(() => bench.close());

/** A program that uses a host; prints the child's pid after the first answer. */
function program(after: string) {
  const source = `
    const { createInferenceHost } = require(${JSON.stringify(entry)});
    const host = createInferenceHost({}, { providers: ['cpu'], idleUnloadMs: 0, runTimeoutMs: 60000 });
    const tensor = new Float32Array(3 * 64 * 64);
    host.predict({ modelFile: ${JSON.stringify(net)}, modelId: 'net', tensor, widthPx: 64, heightPx: 64 })
      .then(() => { console.log(host.status().pid); ${after} });`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (text) => {
    printed += text;
  });
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, exited, pid: () => Number(printed) };
}

const gone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

test('a program that forgets to close ends all the same, and its child with it', async () => {
  const { exited, pid } = program('');
  expect(await exited).toBe(0);
  expect(pid()).toBeGreaterThan(0);
  await until(() => gone(pid()));
});

test('a killed parent leaves no child behind', async () => {
  const { child, pid } = program('setInterval(() => {}, 1000);');
  await until(() => pid() > 0);
  expect(gone(pid())).toBe(false);
  child.kill('SIGKILL');
  await until(() => gone(pid()));
});

test('endurance: 200 runs leave the memory of the child where it was', async () => {
  const { host } = bench.host();
  const request = ramp(net, 64);
  const samples: number[] = [];
  for (let run = 0; run < 200; run += 1) {
    await host.predict(request);
    if (run >= 100) samples.push(host.status().rssBytes!);
  }
  const half = samples.length / 2;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const growth = mean(samples.slice(half)) - mean(samples.slice(0, half));
  expect(growth).toBeLessThan(4e6);
  expect(host.status().restarts).toBe(0);
});
