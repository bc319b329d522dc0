/**
 * What folding DDColor's graph saves: the converted graph beside a plain export of the same weights
 * and beside PyTorch (Debian's python3-torch; left out where it is missing). Each network runs in a
 * process of its own, so that peak memory is its own; runs go turn by turn, so that a noisy moment
 * disturbs all alike, and the fastest of each counts. The weights are random and of the official
 * shapes: what a network computes does not change how long it takes.
 *
 *   npm run bench:ddcolor -- [--models tiny,large] [--sizes 256,512] [--runs 5] [--skip-torch]
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { convertCheckpoint } from '../src/inference/convert/index.js';
import { type OfficialSize, writeDdcolorCheckpoint } from '../tests/support/ddcolor-checkpoint.js';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'tiny' },
    sizes: { type: 'string', default: '256,512' },
    runs: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    'skip-torch': { type: 'boolean', default: false },
    /** Used by itself: one network in this process, told when to run. */
    child: { type: 'string' },
  },
});

interface Measured {
  /** Fastest run. */
  seconds: number;
  peakBytes: number;
  output: Float32Array;
}

const forms = {
  folded: {},
  'folded, fp16 weights': { storage: 'float16' },
  'folded, int8': { int8: true },
  'plain export': { form: 'export' },
} as const;

async function main(): Promise<void> {
  if (options.child) return serveRuns(options.child);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-ddcolor-'));
  try {
    for (const model of options.models.split(',') as OfficialSize[]) await measure(folder, model);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, model: OfficialSize): Promise<void> {
  const checkpoint = path.join(folder, `${model}.pth`);
  writeDdcolorCheckpoint(checkpoint, model);
  const files = new Map<string, string>();
  console.log(`\n${model}: checkpoint ${megabytes(statSync(checkpoint).size)}`);
  for (const [name, settings] of Object.entries(forms)) {
    const file = path.join(folder, `${model}-${files.size}.onnx`);
    const { bytes } = await convertCheckpoint(checkpoint, file, settings);
    console.log(`  ${name.padEnd(24)} ${megabytes(bytes)}`);
    files.set(name, file);
  }
  for (const size of options.sizes.split(',').map(Number)) {
    const results = await runAll(files, size);
    const torch = options['skip-torch'] ? undefined : runTorch(folder, checkpoint, size);
    if (torch) results.set(torch.name, torch.measured);
    print(model, size, results);
  }
}

/** Turn by turn: one run of each network, again and again. */
async function runAll(files: ReadonlyMap<string, string>, size: number) {
  const results = new Map<string, Measured>();
  const children = new Map<string, ChildProcess>();
  for (const [name, file] of files) {
    const child = fork(__filename, ['--child', file, '--threads', options.threads], {
      serialization: 'advanced',
    });
    children.set(name, child);
  }
  try {
    // The first turn warms up.
    for (let turn = 0; turn <= Number(options.runs); turn++)
      for (const [name, child] of children) {
        child.send(size);
        const [answer] = (await once(child, 'message')) as [Measured];
        const best = results.get(name)?.seconds ?? Infinity;
        const seconds = turn === 0 ? Infinity : Math.min(best, answer.seconds);
        results.set(name, { ...answer, seconds });
      }
  } finally {
    for (const child of children.values()) child.disconnect();
  }
  return results;
}

async function serveRuns(file: string): Promise<void> {
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: Number(options.threads),
    enableMemPattern: false,
    // Waiting threads must not take the cores from the network whose turn it is.
    extra: { session: { force_spinning_stop: '1' } },
  });
  process.on('message', async (size: number) => {
    const input = new Tensor('float32', noise(size), [1, 3, size, size]);
    const startedAt = performance.now();
    const { output } = await session.run({ input });
    const seconds = (performance.now() - startedAt) / 1000;
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    process.send!({ seconds, peakBytes, output: output!.data });
  });
}

/** The fastest of six configurations, and what that one takes in memory by itself. */
function runTorch(folder: string, checkpoint: string, size: number) {
  const input = path.join(folder, 'input.f32');
  const output = path.join(folder, 'output.f32');
  writeFileSync(input, Buffer.from(noise(size).buffer));
  const script = path.resolve('bench/ddcolor_torch.py');
  const run = (...more: string[]) => {
    const common = ['--size', String(size), '--runs', options.runs, '--threads', options.threads];
    const args = [script, checkpoint, input, output, ...common, ...more];
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const text = execFileSync('/usr/bin/python3', args, { encoding: 'utf8', stdio: [...stdio] });
    return JSON.parse(text) as {
      version: string;
      best: { name: string; seconds: number };
      all: { name: string; seconds: number }[];
      peakBytes: number;
    };
  };
  try {
    const { version, best, all } = run();
    for (const { name, seconds } of all) console.log(`  torch ${name}: ${seconds.toFixed(3)} s`);
    // Once more alone: the others' memory is not this one's.
    const alone = run('--only', best.name);
    const seconds = Math.min(best.seconds, alone.best.seconds);
    const bytes = readFileSync(output);
    const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const measured = { seconds, peakBytes: alone.peakBytes, output: numbers };
    return { name: `PyTorch ${version}`, measured };
  } catch {
    const packages = 'python3-torch libopenblas0-pthread';
    console.log(
      `  PyTorch with a fast BLAS is not here (Debian: apt-get install ${packages}); left out`,
    );
    return undefined;
  }
}

function print(model: string, size: number, results: ReadonlyMap<string, Measured>): void {
  const folded = results.get('folded')!;
  const largest = folded.output.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  console.log(`\n${model}, ${size} px, best of ${options.runs}, ${options.threads} threads`);
  for (const [name, { seconds, peakBytes, output }] of results) {
    const difference = output.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - folded.output[i]!)),
      0,
    );
    const columns = [
      name.padEnd(30),
      `${seconds.toFixed(3)} s`,
      `${(seconds / folded.seconds).toFixed(2)} x folded`,
      `peak ${megabytes(peakBytes)}`,
      `differs by ${(difference / largest).toExponential(1)} of the largest value`,
    ];
    console.log(`  ${columns.join('   ')}`);
  }
}

/** Grey noise [1, 3, size, size], 0..1. */
function noise(size: number): Float32Array<ArrayBuffer> {
  const plane = size * size;
  return Float32Array.from(
    { length: 3 * plane },
    (_, i) => (Math.imul((i % plane) + 1, 2654435761) >>> 0) / 2 ** 32,
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

void main();
