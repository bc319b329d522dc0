import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const preload = path.resolve(__dirname, '../support/advanced-clock.cjs');

/** A clock that the shop's processes and the emulators share: faster than real, and it can jump. */
export class ChaosClock {
  private plan: { realMs: number; fakeMs: number; speed: number };

  constructor(
    private readonly file: string,
    speed: number,
  ) {
    const realMs = Date.now();
    this.plan = { realMs, fakeMs: realMs, speed };
    this.write();
  }

  now = (): number => {
    const { realMs, fakeMs, speed } = this.plan;
    return Math.floor(fakeMs + (Date.now() - realMs) * speed);
  };

  /** Time passes at once. */
  jump(ms: number): void {
    this.plan = { ...this.plan, realMs: Date.now(), fakeMs: this.now() + Math.max(0, ms) };
    this.write();
  }

  /** What a process needs to live by this clock. */
  environment(): Record<string, string> {
    return { NODE_OPTIONS: `--require ${preload}`, TEST_CLOCK_FILE: this.file };
  }

  private write(): void {
    writeFileSync(`${this.file}.new`, JSON.stringify(this.plan));
    renameSync(`${this.file}.new`, this.file);
  }
}
