import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What a finished command leaves to look at. */
export interface LoadedModules {
  /** Absolute paths of all that the command's own process loaded, its children left out. */
  readonly files: readonly string[];
  readonly code: number | null;
  /** What `whenOpen` found. */
  readonly seen: number | undefined;
}

export interface CommandRun {
  /** The installation: the folder with package.json and dist. */
  readonly root: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command that does not end by itself: what it prints when it is open; it is then stopped. */
  readonly opensWith?: string;
  /** Asked of the process once it is open. */
  readonly whenOpen?: (pid: number) => number;
  /** Off for a figure of memory: listing modules takes some itself. */
  readonly list?: boolean;
}

/** Run the built command of an installation in an empty folder and list what it loaded. */
export async function loadedModules(run: CommandRun): Promise<LoadedModules> {
  const { root, args, env, opensWith, whenOpen, list = true } = run;
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-modules-'));
  const preload = list ? ['-r', path.join(repository, 'tests/support/loaded-modules.cjs')] : [];
  const child = spawn(
    process.execPath,
    [...preload, path.join(root, 'dist/cli/main.js'), ...args],
    {
      cwd: dir,
      env: {
        PATH: process.env['PATH'] ?? '',
        ...{ HOME: dir, HUANCAI_DATA_DIR: path.join(dir, 'data'), LOADED_MODULES: dir, ...env },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  let seen: number | undefined;
  let stopped = false;
  const hear = (text: string) => {
    said += text;
    if (stopped || !opensWith || !said.includes(opensWith)) return;
    stopped = true;
    seen = whenOpen?.(child.pid!);
    child.kill('SIGTERM');
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    const listed = path.join(dir, `${child.pid}.json`);
    if (opensWith && !stopped) throw new Error(`${args.join(' ')} did not open:\n${said}`);
    if (list && !existsSync(listed)) throw new Error(`${args.join(' ')} left no list:\n${said}`);
    return { files: list ? JSON.parse(readFileSync(listed, 'utf8')) : [], code, seen };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Two folders up from the sources and from their compiled copy (dist/bench-support) alike. */
const repository = path.resolve(__dirname, '../..');
