import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { type EmulatedCards, emulateCards } from '../emulators/cards/cards.js';

/** An emulated card in a box of its own. */
export interface BoxSpec {
  /** For one photo at 512 px. */
  readonly seconds: number;
  /** Largest input its memory takes, px. */
  readonly memoryPx: number;
  /** What it warms up to when it never rests, °C; above 83 the guard pauses it. */
  readonly hotC: number;
}

const idleC = 40;
/** Share of the way to its final temperature that a card goes in one second. */
const heatPerSecond = 0.15;
const tickMs = 500;

/** One worker process with its emulated card; can be killed and started again. */
export class BoxProcess {
  readonly cards: EmulatedCards;
  readonly logFile: string;
  /** Highest temperature at which an inference was under way. */
  hottestWorkC = 0;
  private temperatureC = idleC;
  private child: ChildProcess | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    readonly spec: BoxSpec,
    private readonly dir: string,
    private readonly env: Record<string, string>,
    /** Command that starts it elsewhere, such as `ip netns exec box1`. */
    private readonly prefix: readonly string[] = [],
  ) {
    mkdirSync(dir, { recursive: true });
    this.cards = emulateCards(dir, '550-gtx-1650');
    this.logFile = path.join(dir, 'inferences.jsonl');
    closeSync(openSync(this.logFile, 'a'));
    this.cards.heat(idleC);
    this.timer = setInterval(() => this.warm(), tickMs);
  }

  start(): void {
    const log = openSync(path.join(this.dir, 'log'), 'a');
    const command = [...this.prefix, process.execPath, path.join(__dirname, 'delay-worker.cjs')];
    this.child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.dir,
        HUANCAI_DATA_DIR: path.join(this.dir, 'data'),
        HUANCAI_WORKER_MAX_SIZE_PX: String(this.spec.memoryPx),
        HUANCAI_GPU_WATCH: 'on',
        HUANCAI_GPU_NVIDIA_SMI: this.cards.nvidiaSmi,
        HUANCAI_GPU_POLL_MS: '1000',
        HUANCAI_GPU_HOLD_MS: '1000',
        HUANCAI_GPU_ALLOW_CPU_WHILE_PAUSED: 'false',
        SIM_SECONDS: String(this.spec.seconds),
        SIM_MEMORY_PX: String(this.spec.memoryPx),
        SIM_LOG: this.logFile,
        ...this.env,
      },
    });
    closeSync(log);
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get alive(): boolean {
    return (
      this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
    );
  }

  /** kill -9, as a power cut would. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    const { child } = this;
    if (!child || !this.alive) return;
    const exit = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exit;
  }

  /** Every inference of this box, whole or broken off. */
  inferences(): { event: string; atMs: number; pid: number; sizePx?: number }[] {
    return readFileSync(this.logFile, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  log(): string {
    return readFileSync(path.join(this.dir, 'log'), 'utf8');
  }

  /** First-order heating: towards hot while it works, towards idle while it rests. */
  private warm(): void {
    const busy = this.alive && this.working();
    const goal = busy ? this.spec.hotC : idleC;
    this.temperatureC += (goal - this.temperatureC) * heatPerSecond * (tickMs / 1000);
    if (busy) this.hottestWorkC = Math.max(this.hottestWorkC, this.temperatureC);
    this.cards.heat(Math.round(this.temperatureC));
  }

  private working(): boolean {
    const { size } = statSync(this.logFile);
    const handle = openSync(this.logFile, 'r');
    const tail = Buffer.alloc(200);
    const bytes = readSync(handle, tail, 0, tail.length, Math.max(0, size - tail.length));
    closeSync(handle);
    return (
      tail.toString('utf8', 0, bytes).trimEnd().split('\n').at(-1)?.includes('"begin"') === true
    );
  }
}

/** A cable to a network of its own, where this machine lets us. */
export interface Cable {
  readonly prefix: readonly string[];
  /** Address of this side. */
  readonly host: string;
  setDown(down: boolean): void;
  remove(): void;
}

/** @returns undefined without root or iproute2. */
export function plugIn(number: number): Cable | undefined {
  const name = `hc${process.pid % 10_000}n${number}`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  const [near, far] = [`${name}a`, `${name}b`];
  const net = `10.${77 + (process.pid % 100)}.${number}`;
  try {
    ip('netns', 'add', name);
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
    ip('addr', 'add', `${net}.1/24`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', name, 'addr', 'add', `${net}.2/24`, 'dev', far);
    ip('-n', name, 'link', 'set', far, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch {
    try {
      ip('netns', 'del', name);
    } catch {
      // It never came to be.
    }
    return undefined;
  }
  return {
    prefix: ['ip', 'netns', 'exec', name],
    host: `${net}.1`,
    setDown: (down) => void ip('link', 'set', near, down ? 'down' : 'up'),
    remove: () => void ip('netns', 'del', name),
  };
}
