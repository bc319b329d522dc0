// Copies of the sources to put faults into, and the tests that run in them.
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What the tests near a fault do not read, and what is only looked at. */
const left = new Set(['node_modules', 'dist', '.git', 'training', 'bench', 'docs', 'data']);

/**
 * @param root the working tree; never written to.
 * @param options count: copies; limitMs: a program that runs for longer is ended; verbose: print what
 *   it says.
 */
export function makeCopies(root, { count, limitMs, verbose }) {
  const place = mkdtempSync(path.join(os.tmpdir(), 'huancai-mutants-'));
  const running = new Set();
  process.on('exit', () => {
    for (const child of running) end(child);
    rmSync(place, { recursive: true, force: true });
  });
  let interrupted = false;
  const copies = Array.from({ length: count }, (_, i) => copyOf(root, path.join(place, `${i}`)));

  /** Run a program in a copy, in a group of its own: the servers that tests start end with it. */
  function run(copy, args) {
    return new Promise((resolve) => {
      let output = '';
      let late = false;
      const child = spawn(process.execPath, args, { cwd: copy, detached: true });
      running.add(child);
      const timer = setTimeout(() => {
        late = true;
        end(child);
      }, limitMs);
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes) => {
          output += bytes;
        });
      child.on('close', (code) => {
        clearTimeout(timer);
        running.delete(child);
        if (verbose) console.log(output);
        resolve({ code, late, output });
      });
    });
  }

  /** @returns killed, lived, or broken: a fault that keeps a test file from loading proves nothing. */
  async function runTestFile(copy, test) {
    const report = path.join(copy, 'report.json');
    rmSync(report, { force: true });
    const { code, late, output } = await run(copy, [
      path.join(root, 'node_modules/jest/bin/jest.js'),
      ...['--runInBand', '--forceExit', '--json', `--outputFile=${report}`],
      ...[`--cacheDirectory=${path.join(place, 'jest')}`, '--runTestsByPath', test],
    ]);
    if (late) return { state: 'killed', by: `${test}: still running after ${limitMs / 1_000} s` };
    if (code === 0) return { state: 'lived' };
    try {
      const [found] = JSON.parse(readFileSync(report, 'utf8')).testResults;
      const failed = found.assertionResults.find(({ status }) => status === 'failed');
      if (failed) return { state: 'killed', by: `${path.basename(test)}: ${failed.fullName}` };
      return { state: 'broken', by: found.message.trim().split('\n')[0] };
    } catch {
      return { state: 'broken', by: output.trim().split('\n').at(-1) };
    }
  }

  return {
    run,
    /** Ends what runs; nothing more is begun. */
    interrupt: () => {
      interrupted = true;
      for (const child of running) end(child);
    },
    isInterrupted: () => interrupted,
    /** Hand out one thing after the other to whichever copy is free. */
    each: async (things, work) => {
      const queue = [...things.entries()];
      const lane = async (copy) => {
        for (let next = queue.shift(); next && !interrupted; next = queue.shift())
          await work(copy, next[1], next[0]);
      };
      await Promise.all(copies.map(lane));
    },
    /** One test file after the other, until one notices. */
    runTests: async (copy, tests) => {
      for (const test of tests) {
        const outcome = await runTestFile(copy, test);
        if (outcome.state !== 'lived') return outcome;
      }
      return { state: 'lived' };
    },
  };
}

/** Put a fault in, work, take it out again. */
export async function withFault(copy, { file, old, new: fault }, work) {
  const mutated = path.join(copy, file);
  const text = readFileSync(mutated, 'utf8');
  try {
    writeFileSync(
      mutated,
      text.replace(old, () => fault),
    );
    return await work();
  } finally {
    writeFileSync(mutated, text);
  }
}

function copyOf(root, copy) {
  for (const name of readdirSync(root)) {
    if (left.has(name)) continue;
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  for (const name of ['node_modules', 'dist'])
    symlinkSync(path.join(root, name), path.join(copy, name), 'dir');
  return copy;
}

function end(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
