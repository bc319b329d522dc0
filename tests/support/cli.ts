import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

const main = path.resolve(__dirname, '../../dist/cli/main.js');

export interface CliRun {
  readonly child: ChildProcess;
  /** Resolves when the process has ended. */
  readonly ended: Promise<CliResult>;
  /** Resolves when standard error has shown the text; rejects when the process ends before. */
  shows(text: string): Promise<void>;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
  /** Standard output, one JSON object per line. */
  records(): Record<string, unknown>[];
}

/** Start the built command, as a person would. Settings and locale of this machine stay out. */
export interface CliOptions {
  readonly cwd: string;
  readonly env?: object;
  /** A program that starts the command, with its own arguments. */
  readonly through?: readonly string[];
}

export function startCli(args: readonly string[], options: CliOptions): CliRun {
  const { PATH, HOME } = process.env;
  const [program, ...before] = [...(options.through ?? []), process.execPath];
  const child = spawn(program!, [...before, main, ...args], {
    cwd: options.cwd,
    env: { PATH, HOME, HUANCAI_DATA_DIR: path.join(options.cwd, '.data'), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const records = () =>
        out
          .trim()
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line));
      resolve({ code, signal, out, err, records });
    });
  });
  const shows = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (err.includes(text)) resolve();
      };
      look();
      child.stderr!.on('data', look);
      ended.then(() => reject(new Error(`ended without showing "${text}":\n${err}`)), reject);
    });
  return { child, ended, shows };
}

export function runCli(args: readonly string[], options: CliOptions) {
  return startCli(args, options).ended;
}
