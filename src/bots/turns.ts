/**
 * One thing at a time per key, in order; different keys side by side. Keys cost nothing once they
 * are idle.
 */
export class Turns {
  private readonly tails = new Map<string, Promise<unknown>>();

  /** Runs `work` after everything queued under `key` before it. Its faults are the caller's. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const tail: Promise<void> = mine.then(
      () => this.leave(key, tail),
      () => this.leave(key, tail),
    );
    this.tails.set(key, tail);
    return mine;
  }

  /** Resolves when nothing is left. */
  async idle(): Promise<void> {
    while (this.tails.size > 0) await Promise.all(this.tails.values());
  }

  get busy(): number {
    return this.tails.size;
  }

  private leave(key: string, tail: Promise<unknown>): void {
    if (this.tails.get(key) === tail) this.tails.delete(key);
  }
}
