import { spawn } from 'node:child_process';

/** What became of a driver's program. */
export type ProgramAnswer =
  | { readonly kind: 'answered'; readonly exitCode: number; readonly text: string }
  /** Not installed, not executable. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'broken'; readonly reason: string };

/** Runs one program at a time, whatever happens to it. */
export type Program = (args: readonly string[]) => Promise<ProgramAnswer>;

const ANSWER_CHARS = 1_000_000;

/**
 * A program of a driver. One that hangs is killed, but nobody waits for its end: a process stuck in
 * a broken driver cannot even be killed. No second one is started beside it.
 * @param file name or path.
 */
export function createProgram(file: string, timeoutMs: number): Program {
  let stuck = false;

  return (args) =>
    new Promise((resolve) => {
      if (stuck) return resolve({ kind: 'hangs' });
      let text = '';
      let child: ReturnType<typeof start>;
      try {
        child = start(file, args);
      } catch (error) {
        return resolve({ kind: 'broken', reason: String(error) });
      }
      const timer = setTimeout(() => {
        stuck = true;
        child.kill('SIGKILL');
        child.unref();
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ kind: 'hangs' });
      }, timeoutMs);
      const listen = (chunk: string) => {
        text = (text + chunk).slice(0, ANSWER_CHARS);
      };
      child.stdout.setEncoding('utf8').on('data', listen);
      child.stderr.setEncoding('utf8').on('data', listen);
      child.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const missing = error.code === 'ENOENT' || error.code === 'EACCES';
        resolve(missing ? { kind: 'missing' } : { kind: 'broken', reason: error.message });
      });
      child.on('exit', () => {
        stuck = false;
      });
      child.on('close', (exitCode, signal) => {
        clearTimeout(timer);
        if (exitCode === null) resolve({ kind: 'broken', reason: `ended by ${signal}` });
        else resolve({ kind: 'answered', exitCode, text });
      });
    });
}

function start(file: string, args: readonly string[]) {
  return spawn(file, [...args], { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
}
