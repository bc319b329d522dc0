import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

const main = path.resolve(__dirname, '../../dist/cli/main.js');

/** `huancai serve` as a real process that can be killed and started again on the same data. */
export class ServerProcess {
  private child: ChildProcess | undefined;

  constructor(
    private readonly env: Record<string, string>,
    readonly port: number,
    readonly logFile: string,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  start(): void {
    const log = openSync(this.logFile, 'a');
    this.child = spawn(process.execPath, [main, 'serve'], {
      env: { PATH: process.env.PATH ?? '', PORT: String(this.port), ...this.env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  /** Waits until /readyz says that every part works. */
  async ready(timeoutMs = 300_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    let said = '';
    for (;;) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      said = (await answer?.text().catch(() => '')) ?? said;
      if (this.child?.exitCode !== null && this.child?.exitCode !== undefined)
        throw new Error(`serve ended with ${this.child.exitCode}:\n${this.tail()}`);
      if (Date.now() > end) throw new Error(`serve is not ready: ${said}\n${this.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** kill -9, as the out-of-memory killer or a power cut would. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** SIGTERM. @returns the exit code. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** kill -9 of the inference process. @returns false when there is none at this moment. */
  killInference(): boolean {
    const pid = this.inferencePid();
    if (pid === undefined) return false;
    try {
      process.kill(pid, 'SIGKILL');
      return true;
    } catch {
      return false;
    }
  }

  /** Last lines of the server's log. */
  tail(lines = 30): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-lines).join('\n');
  }

  private inferencePid(): number | undefined {
    const parent = this.child?.pid;
    if (parent === undefined) return undefined;
    try {
      const out = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(parent)]);
      const line = String(out)
        .split('\n')
        .find((text) => text.includes('session-process'));
      return line ? Number.parseInt(line, 10) : undefined;
    } catch {
      return undefined;
    }
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return exit;
  }
}
